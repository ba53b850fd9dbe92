"""``hoisdf train`` when something outside it goes wrong: what it says, and what it leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from hoisdf_ros.atomic import PARTIAL
from hoisdf_ros.cli.main import REFUSED
from hoisdf_ros.data.sample import SampleSet
from hoisdf_ros.data.shards import MANIFEST, Recipe, ShardData, shard_path, write_shard
from hoisdf_ros.training.checkpoints import LAST, read_checkpoint

PATIENCE_S = 240  # a machine that is busy with other things takes its time

PROGRAM = f"""
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("noise", {str(Path(__file__).with_name("conftest.py"))!r})
sys.modules["noise"] = noise = module_from_spec(spec)  # where workers look for the samples' class
spec.loader.exec_module(noise)
if __name__ == "__main__":
    import os
    import resource
    import torch
    from hoisdf_ros.cli.main import main
    from hoisdf_ros.config import PRESETS
    from hoisdf_ros.training import data_sets
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["FILE_LIMIT"]),) * 2)
    torch.set_num_threads(1)
    PRESETS["tiny"] = noise.TINY
    data_sets.open_data = lambda text, *_: noise.named_data(text)
    sys.exit(main())
"""
CONFIG = """
preset: tiny
freeze_norm: false
held_out: 0
batch_size: 2
warmup_steps: 1
log_every: 1
save_every: 1
device: cpu
"""


@dataclass(frozen=True)
class Rig:
    """A folder in which `hoisdf train` runs on noise, its network too small to learn anything."""

    folder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def step(self) -> int:
        return int(read_checkpoint(self.out / LAST)["step"])

    def start(
        self,
        epochs: int,
        workers: int = 0,
        data: str = "noise",
        file_limit: int = -1,
    ) -> subprocess.Popen[str]:
        program, config = self.folder / "program.py", self.folder / "config.yaml"
        program.write_text(PROGRAM)
        config.write_text(f"{CONFIG}epochs: {epochs}\nworkers: {workers}\n")
        words = ["train", "--config", str(config), "--data", data, "--out", str(self.out)]
        return subprocess.Popen(
            [sys.executable, str(program), *words, "--resume"],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "FILE_LIMIT": str(file_limit),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, epochs: int, workers: int = 0, data: str = "noise") -> tuple[int, str]:
        return ended(self.start(epochs, workers, data))

    def assert_nothing_is_half_written(self) -> None:
        assert not list(self.out.rglob(f"*{PARTIAL}"))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and the last line it said."""
    try:
        _, said = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, said.strip().splitlines()[-1] if said.strip() else ""


def until(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def children(parent: int) -> list[int]:
    """Process ids of the living children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def workers_of(trainer: int) -> list[int]:
    """Those that make samples are started by a process of their own beside the trainer."""
    return [worker for server in children(trainer) for worker in children(server)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_killed_worker_ends_the_run_with_a_checkpoint_to_go_on_from(rig: Rig) -> None:
    trainer = rig.start(epochs=100_000, workers=2)
    until(lambda: (rig.out / LAST).exists() or trainer.poll() is not None)
    workers = workers_of(trainer.pid)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    status, said = ended(trainer)
    assert status == REFUSED
    assert "hoisdf train: a process that makes samples died" in said
    assert "use fewer workers and go on with --resume" in said
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    rig.assert_nothing_is_half_written()
    step = rig.step
    assert step > 0
    assert rig.run(epochs=step // 4 + 1)[0] == 0
    assert rig.step == 4 * (step // 4 + 1)


def test_a_full_disk_leaves_the_checkpoint_before(rig: Rig) -> None:
    assert rig.run(epochs=1)[0] == 0
    before = (rig.out / LAST).read_bytes()
    # no file may become larger than half a checkpoint: writing it fails midway
    status, said = ended(rig.start(epochs=2, file_limit=len(before) // 2))
    assert status == REFUSED
    assert "last.pth cannot be written (File too large); the one before is intact" in said
    assert (rig.out / LAST).read_bytes() == before
    rig.assert_nothing_is_half_written()
    assert rig.run(epochs=2)[0] == 0
    assert rig.step == 8


RECIPE = Recipe("train", 0, 8, 16, depth=False, generator=1, shard_size=4)


def put_shard(folder: Path, shard: int, noise: SampleSet) -> None:
    with shard_path(folder, shard).open("wb") as file:
        write_shard(file, [noise[k] for k in RECIPE.numbers(shard)], RECIPE)


@pytest.fixture
def shards(rig: Rig, noise: SampleSet) -> Path:
    """Two shards of noise, a byte of the second flipped."""
    folder = rig.folder / "shards"
    folder.mkdir()
    (folder / MANIFEST).write_text(json.dumps(asdict(RECIPE)))
    for shard in (0, 1):
        put_shard(folder, shard, noise)
    assert ShardData(folder)[7].joints is not None
    path = shard_path(folder, 1)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    return folder


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_shard_is_named_whoever_reads_it(rig: Rig, shards: Path, workers: int) -> None:
    status, said = rig.run(epochs=2, workers=workers, data=f"shards:{shards}")
    assert status == REFUSED
    assert said.startswith(f"hoisdf train: {shards}/shard-00001.zip is damaged")
    assert f"'hoisdf data synth --out {shards}" in said
    rig.assert_nothing_is_half_written()
    if (rig.out / LAST).exists():
        assert 0 < rig.step < 8


def test_a_run_that_was_stopped_by_a_damaged_shard_goes_on_once_it_is_mended(
    rig: Rig, shards: Path, noise: SampleSet
) -> None:
    assert rig.run(epochs=2, data=f"shards:{shards}")[0] == REFUSED
    put_shard(shards, 1, noise)
    assert rig.run(epochs=2, data=f"shards:{shards}")[0] == 0
    assert rig.step == 8
