"""What every command has in common: its exit status, and errors that nobody foresaw."""

import argparse
import errno
import subprocess
import sys
from pathlib import Path

import pytest

from hoisdf_ros.cli import bench
from hoisdf_ros.cli.main import REFUSED, main


def test_a_disk_that_refuses_gives_a_message_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: argparse.Namespace) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/x")

    monkeypatch.setattr(bench, "run", full)
    assert main(["bench"]) == REFUSED
    message = capsys.readouterr().err
    assert message.startswith("hoisdf bench: '/data/x' cannot be read or written (No space left")
    assert "choose another" in message


def hoisdf(script: str) -> subprocess.CompletedProcess[str]:
    """A shell's view: what a user sees when the output goes somewhere."""
    command = f"{sys.executable} -m hoisdf_ros.cli.main {script}"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_goes_early_is_no_error_to_talk_about() -> None:
    said = hoisdf("bench --device cpu --quick --runs 1 --pictures 1 --network-only | true").stderr
    assert "timing the network" in said
    assert "Error" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_terminal_that_cannot_be_written_is_named() -> None:
    done = hoisdf("bench --device cpu --quick --runs 1 --pictures 1 --network-only > /dev/full")
    assert done.returncode == REFUSED
    assert "hoisdf bench: the output cannot be read or written (No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["data", "synth", "--samples", "1", "--grasps", "8"],
        ["train", "--config", "config/train_tiny.yaml", "--data", "synthetic"],
    ],
    ids=["data", "train"],
)
def test_an_output_folder_that_cannot_be_made_is_refused(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    root = Path(__file__).parents[2]
    words = [str(root / word) if word.startswith("config/") else word for word in words]
    assert main([*words, "--out", str(tmp_path / "file" / "out")]) == REFUSED
    assert str(tmp_path / "file") in capsys.readouterr().err
