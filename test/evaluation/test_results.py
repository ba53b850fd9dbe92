"""From one sample's points to means over samples."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.objects import Pose
from hoisdf_ros.evaluation.results import (
    Hand,
    HandErrors,
    ObjectErrors,
    PlacedObject,
    SampleErrors,
    hand_errors,
    object_errors,
    summarise,
)

RNG = np.random.default_rng(0)
TRUTH = Hand(
    RNG.normal([0.1, 0.0, 0.6], 0.04, (21, 3)), RNG.normal([0.1, 0.0, 0.6], 0.04, (778, 3))
)
VERTICES = RNG.normal(0, 0.04, (300, 3))


def moved(hand: Hand, shift: Array) -> Hand:
    return Hand(hand.joints + shift, hand.vertices + shift)


def placed(translation: Array, root: Array, seed: int = 0) -> PlacedObject:
    return PlacedObject(Pose(Rotation.random(random_state=seed).as_matrix(), translation), root)


def test_a_wrong_root_counts_in_the_camera_frame_only() -> None:
    found = hand_errors(moved(TRUTH, np.array([0, 0, 0.02])), TRUTH, np.zeros((21, 3)))
    assert found.abs_mje == pytest.approx(0.02)
    for error in (found.mje, found.pa_mje, found.stmje, found.mesh, found.pa_mesh):
        assert error == pytest.approx(0.0, abs=1e-12)
    assert (found.f5, found.f15, found.pa_f5, found.pa_f15) == (1, 1, 1, 1)


def test_mean_pose_is_measured_from_the_wrist() -> None:
    pose = TRUTH.joints - TRUTH.joints[0]
    pose[5] += [0.0, 0.0, 0.021]
    assert hand_errors(TRUTH, TRUTH, pose).mean_pose_mje == pytest.approx(0.001)


def test_vertices_are_measured_from_the_wrist_joint() -> None:
    shift = np.zeros((778, 3))
    shift[:389, 0] = 0.01
    found = hand_errors(replace(TRUTH, vertices=TRUTH.vertices + shift), TRUTH, np.zeros((21, 3)))
    assert found.mesh == pytest.approx(0.005)
    assert found.mje == pytest.approx(0.0)
    # half the vertices at 0, half at 10 mm: between thresholds 19 and 20 of 99
    assert found.mesh_auc == pytest.approx((1 + 79.5 / 99) / 2)


def test_the_objects_root_moves_with_the_prediction() -> None:
    root, shift = np.array([0.1, 0.0, 0.6]), np.array([0.0, 0.003, 0.004])
    truth = placed(np.array([0.15, 0.02, 0.65]), root)
    told = placed(truth.pose.translation + shift, root + shift)
    found = object_errors(told, truth, VERTICES)
    relative = (found.oce, found.mce, found.ome, found.adds, found.bop_adds)
    assert relative == pytest.approx((0, 0, 0, 0, 0), abs=1e-9)
    assert found.abs_oce == pytest.approx(0.005)
    assert 0 < found.abs_adds < 0.005


def test_with_the_true_root_both_frames_agree() -> None:
    root = np.array([0.1, 0.0, 0.6])
    truth, predicted = placed(root, root, seed=1), placed(root + 0.01, root, seed=2)
    found = object_errors(predicted, truth, VERTICES)
    assert found.abs_adds == pytest.approx(found.adds)
    assert found.oce == found.abs_oce == pytest.approx(0.01 * np.sqrt(3))
    assert found.adds < found.ome


def hand_of(value: float) -> HandErrors:
    return HandErrors(*[value] * 13)


def object_of(value: float) -> ObjectErrors:
    return ObjectErrors(*[value] * 7)


def test_means_are_over_samples_not_over_objects() -> None:
    found = summarise(
        [
            SampleErrors("a", hand_of(0.01), "b_box", object_of(0.01)),
            SampleErrors("b", hand_of(0.02), "b_box", object_of(0.03)),
            SampleErrors("c", None, "a_can", object_of(0.08)),
            SampleErrors("d", hand_of(0.06)),
        ]
    )
    assert (found.samples, found.hands) == (4, 3)
    assert found.hand is not None
    assert astuple(found.hand) == pytest.approx([0.03] * 13)
    assert found.held is not None
    assert found.held.samples == 3
    assert astuple(found.held.errors) == pytest.approx([0.04] * 7)
    assert list(found.objects) == ["a_can", "b_box"]
    assert found.objects["b_box"].samples == 2
    assert found.objects["b_box"].errors.mce == pytest.approx(0.02)


def test_means_keep_the_fields_apart() -> None:
    errors = ObjectErrors(*np.arange(7.0).tolist())
    found = summarise([SampleErrors("a", None, "box", errors)])
    assert found.hand is None
    assert found.held is not None
    assert found.held.errors == errors


def test_only_hands() -> None:
    found = summarise([SampleErrors("a", hand_of(0.01))])
    assert found.held is None
    assert found.objects == {}


def test_nothing_and_nameless_objects_are_refused() -> None:
    with pytest.raises(EvaluationError, match="no samples"):
        summarise([])
    with pytest.raises(EvaluationError, match="without a name"):
        summarise([SampleErrors("frame 7", held=object_of(0.1))])
