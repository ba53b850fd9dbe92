"""Each error of an object's pose on a case whose answer is known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation import objects
from hoisdf_ros.evaluation.objects import Pose

SQUARE = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])
BOX = np.array(list(np.ndindex(2, 2, 2))) * [0.06, 0.08, 0.24] + [0.01, 0.0, 0.1]
CLOUD = np.random.default_rng(2).normal(0, 0.04, (200, 3))
CAMERA = Camera(600.0, 600.0, 320.0, 240.0, 640, 480)


def pose(vector: tuple[float, float, float], translation: tuple[float, float, float]) -> Pose:
    return Pose(Rotation.from_rotvec(vector).as_matrix(), np.array(translation))


def random_pose(seed: int) -> Pose:
    rotation = Rotation.random(random_state=seed).as_matrix()
    return Pose(rotation, np.random.default_rng(seed).normal([0, 0, 0.7], 0.1))


def test_object_origin_error() -> None:
    assert objects.object_origin_error(np.array([0.03, 0, 0.04]), np.zeros(3)) == 0.05


def test_a_shift_counts_in_full_where_points_correspond() -> None:
    shift = np.array([0.003, -0.004, 0.012])
    moved = CLOUD + shift
    assert objects.add(moved, CLOUD) == pytest.approx(0.013)
    assert objects.camera_box_error(moved, CLOUD) == pytest.approx(0.013)
    assert 0 < objects.add_s(moved, CLOUD) < 0.013
    here = random_pose(1)
    there = Pose(here.rotation, here.translation + shift)
    assert objects.gsdf_center_error(there, here, BOX) == pytest.approx(0.013)
    assert objects.gsdf_corner_error(there, here, BOX) == pytest.approx(0.013)


def test_camera_box_misses_a_half_turn_that_the_meshs_box_shows() -> None:
    centred = BOX - BOX.mean(axis=0)
    half = Pose(np.diag([-1.0, -1.0, 1.0]), np.zeros(3))
    still = Pose(np.eye(3), np.zeros(3))
    assert objects.camera_box_error(half(centred), centred) == pytest.approx(0.0)
    assert objects.gsdf_center_error(half, still, centred) == pytest.approx(0.0)
    # all corners go to the opposite one in x and y: the diagonal of 6 by 8 cm
    assert objects.gsdf_corner_error(half, still, centred) == pytest.approx(0.1)


def test_camera_box_is_drawn_along_the_cameras_axes() -> None:
    stick = np.array([[-0.1, 0, 0], [0.1, 0, 0]])
    upright = pose((0, 0, np.pi / 2), (0, 0, 0))(stick)
    # every corner (+-0.1, 0, 0) meets the corner (0, +-0.1, 0)
    assert objects.camera_box_error(upright, stick) == pytest.approx(np.sqrt(2) * 0.1)
    tilted = pose((0, 0, np.pi / 4), (0, 0, 0))(stick)
    mirrored = pose((0, 0, -np.pi / 4), (0, 0, 0))(stick)
    assert objects.camera_box_error(tilted, mirrored) == pytest.approx(0.0)


def test_gsdf_centre_is_the_middle_of_the_box_not_the_origin() -> None:
    turned, still = pose((0, 0, np.pi), (0, 0, 0.5)), pose((0, 0, 0), (0, 0, 0.5))
    assert objects.object_origin_error(turned.translation, still.translation) == 0.0
    # the middle (0.04, 0.04, .) goes to its negative
    assert objects.gsdf_center_error(turned, still, BOX) == pytest.approx(2 * np.hypot(0.04, 0.04))


def test_add_s_forgives_a_symmetry_and_goes_from_prediction_to_truth() -> None:
    turned = SQUARE[[1, 2, 3, 0]]
    assert objects.add_s(turned, SQUARE) == 0.0
    assert objects.add(turned, SQUARE) == pytest.approx(np.sqrt(2))
    extra = np.vstack([SQUARE, [[0.0, 0, 5]]])
    assert objects.add_s(SQUARE, extra) == 0.0
    assert objects.bop_add_s(SQUARE, extra) == pytest.approx(np.sqrt(26) / 5)
    assert objects.add_s(extra, SQUARE) == pytest.approx(np.sqrt(26) / 5)


@pytest.mark.parametrize("seed", range(5))
def test_one_motion_of_both_changes_nothing(seed: int) -> None:
    predicted, truth = random_pose(seed)(CLOUD), random_pose(seed + 10)(CLOUD)
    motion = random_pose(seed + 20)
    for measure in (objects.add, objects.add_s, objects.bop_add_s):
        moved = measure(motion(predicted), motion(truth))
        assert moved == pytest.approx(measure(predicted, truth))
    assert objects.add_s(predicted, truth) <= objects.add(predicted, truth)


def test_perfect_poses_have_no_error() -> None:
    here = random_pose(3)
    placed = here(CLOUD)
    for measure in (objects.add, objects.add_s, objects.bop_add_s, objects.camera_box_error):
        assert measure(placed, placed) == 0.0
    assert objects.gsdf_corner_error(here, here, CLOUD) == 0.0
    assert objects.reprojection_error(placed, placed, CAMERA) == 0.0


@pytest.mark.parametrize("name", ["024_bowl", "036_wood_block", "052_extra_large_clamp"])
def test_hfl_net_forgives_symmetric_objects_only(name: str) -> None:
    turned = SQUARE[[1, 2, 3, 0]]
    assert objects.hfl_net_error(name, turned, SQUARE) == 0.0
    assert objects.hfl_net_error("051_large_clamp", turned, SQUARE) == pytest.approx(np.sqrt(2))


def test_recall_counts_errors_equal_to_the_limit_and_misses_nan() -> None:
    assert objects.rep_5([0.0, 5.0, 5.001, np.nan]) == 0.5
    assert objects.box_diagonal(BOX) == pytest.approx(0.26)
    assert objects.add_10([0.02, 0.025, 0.0251, 0.3], 0.25) == 0.5
    assert np.isnan(objects.recall([], 1.0))


def test_reprojection_error() -> None:
    plane = SQUARE * 0.05 + [0.0, 0.0, 0.6]
    # 1 cm at 60 cm and f = 600 px: 10 px, whichever way across
    moved = plane + np.array([0.006, 0.008, 0.0])
    assert objects.reprojection_error(moved, plane, CAMERA) == pytest.approx(10.0)
    behind = plane.copy()
    behind[0, 2] = -0.1
    assert np.isnan(objects.reprojection_error(behind, plane, CAMERA))


@pytest.mark.parametrize("broken", [CLOUD * np.nan, CLOUD[:0]])
def test_vertices_that_cannot_be_searched_are_refused(broken: Array) -> None:
    for measure in (objects.add_s, objects.bop_add_s, objects.camera_box_error):
        with pytest.raises(EvaluationError):
            measure(broken, CLOUD)
