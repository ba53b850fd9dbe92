"""The report: errors that are known beforehand, and numbers that are said to be unknown."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, Frame, Mesh
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.ros.demo_report import NOTHING_GIVEN, UNTRAINED, Errors, Run, report, table
from hoisdf_ros.ros.dry_run import ConstantEstimator

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480, "optical")
MESHES: dict[str, Mesh] = {"cube": ConstantEstimator().object_mesh("cube")}
SHIFT = np.array([0.003, 0.0, 0.004])  # 5 mm


@pytest.fixture
def truth() -> Estimate:
    depth = np.ones((480, 640), np.float32)
    boxes = tuple(Detection(side, Box(1, 1, 9, 9)) for side in ("left_hand", "right_hand"))
    found = ConstantEstimator()(Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth, boxes))
    return Estimate(found.hands, found.objects[:1])


def errors(found: Estimate, truth: Estimate) -> Errors:
    result = Errors()
    result.add(found, truth, MESHES)
    return result


def run(**changes: object) -> Run:
    values: dict[str, object] = {
        "seconds": 10.0,
        "published": 300,
        "received": 290,
        "processed": 100,
        "with_boxes": 0,
        "dropped": {"superseded": 190},
        "latency_ms": [10.0, 30.0],
        "latency_with_hand_ms": [30.0],
        "own_ms": (1.5, 3.0),
        "errors": Errors(),
        "model": {"preset": "demo"},
        "trained": False,
        **changes,
    }
    return Run(**values)  # type: ignore[arg-type]


def test_a_perfect_estimate_has_no_error(truth: Estimate) -> None:
    found = errors(truth, truth)
    assert found.wrist == found.joints == found.joints_from_wrist == [0.0, 0.0]
    assert np.allclose([*found.object_origin, *found.object_add_s], 0)
    assert (found.hands_missed, found.hands_made_up, found.objects_missed) == (0, 0, 0)


def test_a_shift_is_an_error_in_millimetres_but_not_from_the_wrist(truth: Estimate) -> None:
    hands = tuple(replace(hand, joints=hand.joints + SHIFT) for hand in truth.hands)
    objects = tuple(replace(held, translation=held.translation + SHIFT) for held in truth.objects)
    found = errors(Estimate(hands, objects), truth)
    assert np.allclose([*found.wrist, *found.joints, *found.object_origin], 5.0)
    assert np.allclose(found.object_add_s, 5.0)
    assert np.allclose(found.joints_from_wrist, 0.0)


def test_a_symmetric_turn_moves_no_surface(truth: Estimate) -> None:
    turn = matrix_from_rotation_vector([0.0, 0.0, np.pi / 2])
    held = replace(truth.objects[0], rotation=truth.objects[0].rotation @ turn)
    found = errors(Estimate(objects=(held,)), truth)
    assert np.allclose(found.object_add_s, 0.0, atol=1e-9)


def test_missing_and_invented_ones_are_counted(truth: Estimate) -> None:
    left = truth.hands[0]
    other = replace(truth.objects[0], object_id="cup")
    found = errors(Estimate((left, replace(left, id=9)), (other,)), truth)
    assert (found.hands_missed, found.hands_made_up) == (1, 1)
    assert (found.objects_missed, found.objects_made_up) == (1, 1)
    assert len(found.wrist) == 1


def test_hands_are_compared_with_the_nearest_of_their_side(truth: Estimate) -> None:
    near, far = (replace(truth.hands[0], joints=truth.hands[0].joints + d) for d in (SHIFT, 1.0))
    assert near.side is Side.LEFT
    assert errors(Estimate((far, near)), truth).wrist == pytest.approx([5.0])


def test_the_report_is_valid_json_with_the_counts(truth: Estimate) -> None:
    found = report(run(errors=errors(truth, truth)))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["frames"] == {
        "published": 300,
        "seen": 290,
        "processed": 100,
        "with a hand": 1,
        "with boxes given": 0,
        "dropped": {"superseded": 190},
    }
    assert found["rate_hz"] == 10.0
    assert found["latency_ms"] == {"p50": 20.0, "p95": 29.0}
    assert found["errors_mm"]["wrist"] == {"count": 2, "mean": 0.0, "p50": 0.0, "p95": 0.0}


def test_what_is_unknown_is_null_and_valid_json() -> None:
    nothing = run(seconds=0.0, latency_ms=[], latency_with_hand_ms=[], own_ms=(np.nan, np.nan))
    found = report(nothing)
    json.dumps(found, allow_nan=False)
    assert found["rate_hz"] is None
    assert found["latency_ms"] == {"p50": None, "p95": None}
    assert found["errors_mm"]["wrist"]["mean"] is None


@pytest.mark.parametrize("trained", [True, False])
def test_the_models_trained_is_no_string_that_is_always_true(trained: bool) -> None:
    found = report(run(model={"preset": "demo", "trained": str(trained)}, trained=trained))
    assert found["model"] == {"preset": "demo", "trained": trained}
    assert report(run(model={}, trained=trained))["model"] == {}


def test_untrained_weights_are_said_in_report_and_table() -> None:
    assert report(run())["note"] == UNTRAINED
    assert UNTRAINED in table(report(run()))
    assert UNTRAINED not in table(report(run(trained=True)))


def test_it_is_said_whether_anything_was_given() -> None:
    alone, helped = report(run()), report(run(with_boxes=3))
    assert alone["given"] == NOTHING_GIVEN
    assert NOTHING_GIVEN in table(alone)
    assert helped["given"] == "boxes"
    assert "nothing was given" not in table(helped)
    (line,) = [line for line in table(helped).splitlines() if "boxes given" in line]
    assert line.split()[-1] == "3"


def test_the_table_has_a_line_for_everything(truth: Estimate) -> None:
    lines = table(report(run(errors=errors(truth, truth)))).splitlines()
    for expected in ("frames processed", "  dropped: superseded", "error: object (ADD-S)", "rate"):
        assert any(line.startswith(expected) for line in lines), expected
