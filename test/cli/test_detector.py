"""``hoisdf detector``."""

from pathlib import Path

import pytest

from hoisdf_ros.cli.main import main
from hoisdf_ros.detection import fetch as module
from hoisdf_ros.detection.weights import GET_WEIGHTS, find_weights


def test_fetch_says_where_the_weights_are(capsys: pytest.CaptureFixture[str]) -> None:
    there = find_weights()
    if there is None:
        pytest.skip(f"the hand detector's weights are missing: {GET_WEIGHTS}")
    assert main(["detector", "fetch"]) == 0
    assert capsys.readouterr().out == f"{there}\n"


def test_options_after_two_dashes_are_for_pip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[list[str]] = []

    def fetch(options: list[str]) -> Path:
        given.append(options)
        return tmp_path

    monkeypatch.setattr(module, "fetch", fetch)
    assert main(["detector", "fetch", "--", "--index-url", "https://mirror.example/simple"]) == 0
    assert main(["detector", "fetch", "--"]) == 0
    assert given == [["--index-url", "https://mirror.example/simple"], []]


def test_a_file_that_is_not_the_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.task"
    wrong.write_bytes(b"wrong")
    assert main(["detector", "fetch", "--from", str(wrong)]) == 2
    assert "another version" in capsys.readouterr().err
