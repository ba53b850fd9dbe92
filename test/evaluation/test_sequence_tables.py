"""Results of sequences as people and programs read them."""

import json
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.datatypes import Estimate
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.sequence_figure import errors_mm, plot_sequences
from hoisdf_ros.evaluation.sequence_tables import frame_times, sequence_dict, sequence_markdown
from hoisdf_ros.evaluation.sequences import JSON_KEYS, Measured, measure

_SPEC = spec_from_file_location("sequence_fakes", Path(__file__).with_name("sequence_fakes.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fakes = module_from_spec(_SPEC)  # test folders are no packages
_SPEC.loader.exec_module(fakes)

TIMES = frame_times([10.0, 20.0, 30.0, 40.0, 150.0])


@pytest.fixture(scope="module")
def measured() -> Measured:
    """One sequence is 5 mm off, the other finds every second frame, exactly."""
    off, half = fakes.still_hands(30, "made/0"), fakes.still_hands(30, "made/1")
    pairs = [(frame, fakes.perfect(frame, np.array([0.003, 0.0, 0.004]))) for frame in off]
    pairs += [(f, Estimate() if f.number % 2 else fakes.perfect(f)) for f in half]
    return measure(pairs, fakes.VERTICES, lambda key: {"made/0": "off", "made/1": "half"}[key])


def cells(text: str, name: str) -> list[list[str]]:
    """The rows of that name of all tables."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_frame_times() -> None:
    assert TIMES.median_ms == 30.0
    assert TIMES.p90_ms == pytest.approx(106.0)


def test_tables_have_a_row_a_group(measured: Measured) -> None:
    text = sequence_markdown(measured, TIMES, "net on videos", "picture alone")
    assert text.startswith("# net on videos\n\nTold: picture alone. A frame takes 30 ms (median; ")
    where, what, trust = cells(text, "off")
    assert where == ["off", "60", "5.0", "5.0", "5.0", "0.0", "5.0", "0.0"]
    assert what[:3] == ["off", "100", "0.0"]
    assert what[-2:] == ["100", "100"]
    assert trust == ["off", "30", "60", "0", "0", "-"]
    assert cells(text, "half")[1][1] == "50"
    assert cells(text, "all")[1][1] == "75"


def test_json_has_the_keys_first_and_all_else_behind(measured: Measured) -> None:
    found = sequence_dict(measured, TIMES)
    assert tuple(found)[: len(JSON_KEYS)] == JSON_KEYS
    assert (found["detection_recall"], found["frame_median_ms"]) == (0.75, 30.0)
    assert found["groups"]["off"]["wrist_median_mm"] == pytest.approx(5.0)
    assert found["groups"]["half"]["estimates"] == 30
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert "wrists_mm" not in found


def test_hands_that_are_not_found_never_come_near(measured: Measured) -> None:
    errors = errors_mm(measured.groups["half"])
    assert errors.shape == (60,)
    assert np.isnan(errors).sum() == 30


def test_the_picture_shows_a_curve(measured: Measured, tmp_path: Path) -> None:
    plot_sequences(measured, tmp_path / "new" / "wrists.png", "net on videos")
    picture = cv2.imread(str(tmp_path / "new" / "wrists.png"))
    assert picture is not None
    assert min(picture.shape[:2]) > 400
    nobody = replace(measured.total, hands=0, wrists_mm=())
    with pytest.raises(EvaluationError, match="no sequence shows a hand"):
        plot_sequences(Measured(nobody, {"a": nobody}), tmp_path / "none.png", "")
