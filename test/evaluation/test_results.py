"""From one sample's points to means over samples."""

from dataclasses import astuple, replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array, Camera
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
CAMERA = Camera(600.0, 600.0, 320.0, 240.0, 640, 480)
SLAB = np.array(list(np.ndindex(2, 2, 2))) * [0.06, 0.08, 0.0] - [0.03, 0.04, 0.0]
"""The corners of a sheet of 6 by 8 cm, each twice; its diagonal is 10 cm."""


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
    found = object_errors(told, truth, VERTICES, CAMERA, "011_banana")
    relative = (found.oce, found.mce, found.ome, found.adds, found.bop_adds)
    assert relative == pytest.approx((0, 0, 0, 0, 0), abs=1e-9)
    assert (found.gsdf_center, found.gsdf_corner) == pytest.approx((0, 0), abs=1e-9)
    assert found.reprojection_px > 1
    assert found.abs_oce == pytest.approx(0.005)
    assert 0 < found.abs_adds < 0.005


def test_with_the_true_root_both_frames_agree() -> None:
    root = np.array([0.1, 0.0, 0.6])
    truth, predicted = placed(root, root, seed=1), placed(root + 0.01, root, seed=2)
    found = object_errors(predicted, truth, VERTICES, CAMERA, "011_banana")
    assert found.abs_adds == pytest.approx(found.adds)
    assert found.oce == found.abs_oce == pytest.approx(0.01 * np.sqrt(3))
    assert found.adds < found.ome


def sheet(shift: float, depth: float = 0.6, turn: float = 0.0) -> PlacedObject:
    """The sheet facing the camera, moved along x, metres, and turned about its middle."""
    rotation = Rotation.from_rotvec([0.0, 0.0, turn]).as_matrix()
    return PlacedObject(Pose(rotation, np.array([shift, 0.0, depth])), np.array([0, 0, 0.6]))


@pytest.mark.parametrize(
    ("shift", "rep_5", "add_10"),
    # f / depth is a pixel per millimetre; a tenth of the diagonal is 10 mm
    [(0.004, 1.0, 1.0), (0.0051, 0.0, 1.0), (0.0099, 0.0, 1.0), (0.0101, 0.0, 0.0)],
)
def test_shares_of_one_sample_are_yes_or_no(shift: float, rep_5: float, add_10: float) -> None:
    found = object_errors(sheet(shift), sheet(0.0), SLAB, CAMERA, "003_cracker_box")
    assert found.reprojection_px == pytest.approx(1e3 * shift)
    assert (found.rep_5, found.abs_add_10) == (rep_5, add_10)
    assert (found.gsdf_center, found.gsdf_corner) == pytest.approx((shift, shift))


@pytest.mark.parametrize(("name", "add_10"), [("061_foam_brick", 1.0), ("003_cracker_box", 0.0)])
def test_a_half_turn_is_forgiven_symmetric_objects_only(name: str, add_10: float) -> None:
    found = object_errors(sheet(0.0, turn=np.pi), sheet(0.0), SLAB, CAMERA, name)
    assert found.abs_add_10 == add_10
    assert found.gsdf_center == pytest.approx(0.0, abs=1e-12)
    assert found.gsdf_corner == pytest.approx(0.1)
    assert found.rep_5 == 0.0


def test_an_object_behind_the_camera_has_no_reprojection_and_misses() -> None:
    behind = object_errors(sheet(0.0, depth=-0.6), sheet(0.0), SLAB, CAMERA, "003_cracker_box")
    assert np.isnan(behind.reprojection_px)
    assert (behind.rep_5, behind.abs_add_10) == (0.0, 0.0)
    near = object_errors(sheet(0.004), sheet(0.0), SLAB, CAMERA, "003_cracker_box")
    found = summarise(
        [SampleErrors(name, None, "box", e) for name, e in (("a", behind), ("b", near))]
    )
    assert found.held is not None
    assert found.held.errors.reprojection_px == pytest.approx(4.0)
    assert found.held.errors.rep_5 == 0.5
    assert found.held.errors.abs_add_10 == 0.5
    nothing = summarise([SampleErrors("a", None, "box", behind)]).objects["box"].errors
    assert np.isnan(nothing.reprojection_px)
    assert nothing.ome == pytest.approx(1.2)


def hand_of(value: float) -> HandErrors:
    return HandErrors(*[value] * 13)


def object_of(value: float) -> ObjectErrors:
    return ObjectErrors(*[value] * 12)


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
    assert astuple(found.held.errors) == pytest.approx([0.04] * 12)
    assert list(found.objects) == ["a_can", "b_box"]
    assert found.objects["b_box"].samples == 2
    assert found.objects["b_box"].errors.mce == pytest.approx(0.02)


def test_means_keep_the_fields_apart() -> None:
    errors = ObjectErrors(*np.arange(12.0).tolist())
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
