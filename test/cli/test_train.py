"""``hoisdf train`` from the command line."""

from pathlib import Path

import pytest

from hoisdf_ros.cli.main import REFUSED, main

TINY = str(Path(__file__).parents[2] / "config" / "train_tiny.yaml")


def train(*words: str) -> int:
    return main(["train", *words])


def test_a_wrong_key_is_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("epoch: 3\n")
    status = train("--config", str(config), "--data", "synthetic", "--out", str(tmp_path))
    assert status == REFUSED
    assert "unknown epoch; expected some of preset" in capsys.readouterr().err


def test_a_wrong_data_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--config", TINY, "--data", "coco", "--out", str(tmp_path)) == REFUSED
    assert "data 'coco': expected synthetic" in capsys.readouterr().err


def test_a_run_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "last.pth").write_bytes(b"")
    assert train("--config", TINY, "--data", "synthetic", "--out", str(tmp_path)) == REFUSED
    assert "--resume" in capsys.readouterr().err
    words = ("--config", TINY, "--data", "synthetic", "--out", str(tmp_path), "--resume")
    assert train(*words) == REFUSED
    assert "cannot be read: it is empty; start again" in capsys.readouterr().err
