"""Making shards: goes on where it stopped, repairs, refuses, and survives what can go wrong."""

import errno
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from hoisdf_ros.cli.main import REFUSED, main
from hoisdf_ros.data import shard_writer
from hoisdf_ros.data.shard_writer import Made, write_shards
from hoisdf_ros.data.shards import Recipe, ShardData, is_whole, shard_path
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.errors import DataError

RECIPE = Recipe("train", 7, 6, CHUNK, depth=False, generator=1, shard_size=2)


@pytest.fixture
def ready(synthetic: SyntheticData) -> None:
    """The grasps are made."""
    synthetic.bank.chunk(0)


@pytest.mark.usefixtures("ready")
def test_only_what_is_missing_or_damaged_is_made(tmp_path: Path) -> None:
    assert write_shards(tmp_path, RECIPE) == Made(new=6, kept=0)
    first = [shard_path(tmp_path, shard).read_bytes() for shard in range(3)]
    shard_path(tmp_path, 1).write_bytes(first[1][:-30])
    shard_path(tmp_path, 2).unlink()
    (tmp_path / "shard-00002.zip.123.partial").write_text("left by a killed run")
    assert write_shards(tmp_path, RECIPE) == Made(new=4, kept=2)
    assert not list(tmp_path.glob("*.partial"))
    assert all(is_whole(shard_path(tmp_path, shard), RECIPE) for shard in range(3))
    assert write_shards(tmp_path, RECIPE) == Made(new=0, kept=6)


@pytest.mark.usefixtures("ready")
def test_another_set_is_not_mixed_in(tmp_path: Path) -> None:
    write_shards(tmp_path, RECIPE)
    with pytest.raises(DataError, match=r"holds another set \(seed 7, not 8\).*another --out"):
        write_shards(tmp_path, replace(RECIPE, seed=8))


@pytest.mark.usefixtures("ready")
def test_a_full_disk_leaves_no_half_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: BinaryIO, *_: object) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shard_writer, "write_shard", full)
    with pytest.raises(DataError, match=r"No space left on device; \d+ MB free.*same command"):
        write_shards(tmp_path, RECIPE)
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.usefixtures("ready")
def test_several_processes_make_the_same_as_one(tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        assert write_shards(tmp_path / name, RECIPE, workers) == Made(6, 0)
    one, two = (ShardData(tmp_path / name) for name in ("one", "two"))
    for index in range(6):
        assert (one[index].image == two[index].image).all()


@pytest.mark.usefixtures("ready")
def test_a_killed_run_can_be_continued(tmp_path: Path) -> None:
    recipe = replace(RECIPE, samples=40)
    code = (
        "from pathlib import Path; from hoisdf_ros.data.shards import Recipe; "
        "from hoisdf_ros.data.shard_writer import write_shards; "
        f"write_shards(Path({str(tmp_path)!r}), {recipe!r})"
    )
    running = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while not shard_path(tmp_path, 2).is_file() and time.monotonic() < deadline:
        time.sleep(0.02)
    running.kill()
    running.wait()
    with pytest.raises(DataError, match="of 20 shards"):
        ShardData(tmp_path)
    made = write_shards(tmp_path, recipe)
    assert made.kept >= 6
    assert made.new + made.kept == 40
    assert ShardData(tmp_path)[39].joints is not None


@pytest.mark.usefixtures("ready")
def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--samples", "3", "--seed", "7", "--grasps", str(CHUNK), "--out", str(tmp_path)]
    assert main(["data", "synth", *options]) == 0
    assert "3 samples of split train, seed 7" in capsys.readouterr().out
    assert len(ShardData(tmp_path)) == 3
    assert main(["data", "synth", *options]) == 0
    assert "kept 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--samples", "0"], "0 samples; ask for at least one"),
        (["--samples", "1", "--workers", "0"], "--workers 0"),
        (["--samples", "1", "--seed", "-4"], "seed -4"),
    ],
)
def test_bad_options_are_refused(
    tmp_path: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "synth", "--out", str(tmp_path), *extra]) == REFUSED
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
