"""Known shapes settle onto fields and points of themselves."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.mesh import sample_surface
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid
from hoisdf_ros.postprocessing.field_samples import FieldSamples, sample_field
from hoisdf_ros.postprocessing.settling import Poses, Seen, Shape, lookup, misfit, settle

MESH = box((0.12, 0.07, 0.04))
TURN = Rotation.from_rotvec([0.5, -0.4, 0.8]).as_matrix()
PLACE = np.array([0.02, -0.01, 0.03])


@pytest.fixture(scope="module")
def shape() -> Shape:
    points, _ = sample_surface(MESH, 200, np.random.default_rng(0))
    return Shape(points, SignedDistanceGrid.of(MESH, spacing=0.006))


@pytest.fixture(scope="module")
def field(shape: Shape) -> FieldSamples:
    def distance(points: Array) -> Array:
        return np.clip(shape.distance((points - PLACE) @ TURN), -0.03, 0.03)

    found = sample_field(distance, 0.2)
    assert found is not None
    return found


def _disturbed() -> Poses:
    turn = Rotation.from_rotvec([0.15, 0.2, -0.1]).as_matrix() @ TURN
    return Poses(turn[None], (PLACE + np.array([0.012, -0.01, 0.008]))[None])


def _angle(poses: Poses) -> float:
    return float(Rotation.from_matrix(poses.rotation[0].T @ TURN).magnitude())


def test_lookup_agrees_with_the_grid_and_its_slope_with_differences(shape: Shape) -> None:
    points = np.random.default_rng(1).uniform(-0.09, 0.09, (200, 3))
    value, slope = lookup(shape.distance, points)
    np.testing.assert_allclose(value, shape.distance(points), atol=1e-6)
    step = 1e-7
    moved = points[:, None] + step * np.eye(3)
    numeric = (shape.distance(moved) - shape.distance(points)[:, None]) / step
    close = np.abs(slope - numeric).max(axis=1) < 1e-3  # but for points within a step of a cell's
    assert close.mean() > 0.99


@pytest.mark.parametrize("measured", [False, True])
def test_a_disturbed_pose_settles(shape: Shape, field: FieldSamples, *, measured: bool) -> None:
    points = shape.points[::4] @ TURN.T + PLACE if measured else np.zeros((0, 3))
    seen = Seen(field.grid, field.level[::5], points)
    start = _disturbed()
    settled = settle(shape, seen, start)
    assert np.linalg.norm(settled.translation[0] - PLACE) < 0.002
    assert _angle(settled) < np.radians(3)
    before, after = misfit(shape, seen, start), misfit(shape, seen, settled)
    assert after.total[0] < 0.4 * before.total[0]
    assert np.isfinite(after.measured[0]) == measured


def test_points_alone_settle_a_shape_that_has_no_field_nearby(shape: Shape) -> None:
    far = SignedDistanceGrid(np.zeros(3), 0.1, np.full((3, 3, 3), 0.5, np.float32))
    seen = Seen(far, shape.points[1::2] @ TURN.T + PLACE, np.zeros((0, 3)))
    settled = settle(shape, seen, _disturbed())
    assert np.linalg.norm(settled.translation[0] - PLACE) < 0.002


def test_several_poses_at_once_are_each_on_their_own(shape: Shape, field: FieldSamples) -> None:
    seen = Seen(field.grid, field.level[::5], np.zeros((0, 3)))
    one = _disturbed()
    both = Poses(
        np.concatenate([one.rotation, TURN[None]]), np.concatenate([one.translation, PLACE[None]])
    )
    together, alone = settle(shape, seen, both), settle(shape, seen, one)
    np.testing.assert_allclose(together.rotation[0], alone.rotation[0], atol=1e-9)
    np.testing.assert_allclose(together.translation[0], alone.translation[0], atol=1e-9)


def test_a_shape_where_it_is_fits(shape: Shape, field: FieldSamples) -> None:
    seen = Seen(field.grid, field.level, np.zeros((0, 3)))
    there = misfit(shape, seen, Poses(TURN[None], PLACE[None]))
    assert there.surface[0] < 0.003
    assert there.level[0] < 0.003
