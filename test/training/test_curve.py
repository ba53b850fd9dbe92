"""A log as a picture: what is read of it, and what is refused."""

import json
from pathlib import Path

import pytest

from hoisdf_ros.errors import DataError
from hoisdf_ros.training.curve import Run, draw, main, read_runs

CHAIN = [
    {"run": "first", "step": 25, "joints": 40.0},
    {"run": "first", "step": 50, "joints": 30.0},
    {"run": "first", "step": 50, "held_out/mje_mm": 45.0},
    {"run": "image", "step": 25, "heatmap": 900.0},
]


def log(tmp_path: Path, lines: list[dict[str, object]]) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_chain_is_read_run_by_run(tmp_path: Path) -> None:
    assert read_runs(log(tmp_path, CHAIN)) == [
        Run("first", trained=[(25, 40.0), (50, 30.0)], held_out=[(50, 45.0)], steps=50),
        Run("image", steps=25),
    ]


def test_a_runs_own_log_names_terms_as_losses(tmp_path: Path) -> None:
    (run,) = read_runs(log(tmp_path, [{"step": 4, "loss/joints": 21.0}]))
    assert run == Run("", trained=[(4, 21.0)], steps=4)


def test_the_command_writes_a_picture(tmp_path: Path) -> None:
    out = tmp_path / "curve.png"
    assert main([str(log(tmp_path, CHAIN)), str(out)]) == 0
    assert out.read_bytes() == draw(read_runs(tmp_path / "log.jsonl"))
    assert out.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"run": "image", "step": 25, "heatmap": 900.0}], "holds no errors of joints"),
        ([{"joints": 3.0}], "expected the log.jsonl of 'hoisdf train'"),
    ],
)
def test_other_logs_are_refused(
    tmp_path: Path, lines: list[dict[str, object]], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_runs(log(tmp_path, lines))


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        main([str(tmp_path / "none.jsonl"), str(tmp_path / "curve.png")])
    assert refused.value.code == 2
    assert not (tmp_path / "curve.png").exists()
