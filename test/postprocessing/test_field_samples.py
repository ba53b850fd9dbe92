"""Fields tabulated around their surface."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.field_samples import (
    FINE_M,
    field_mesh,
    principal_axes,
    sample_field,
    unmirrored,
)
from hoisdf_ros.postprocessing.field_surface import Field

TURN = Rotation.from_rotvec([0.4, -0.7, 0.2]).as_matrix()
MIDDLE = np.array([0.03, -0.04, 0.05])


def _box(size: tuple[float, float, float]) -> Field:
    """Exact distance to a turned box, clamped as a network's."""

    def distance(points: Array) -> Array:
        outside = np.abs((points - MIDDLE) @ TURN) - np.array(size) / 2
        away: Array = np.linalg.norm(np.maximum(outside, 0), axis=1)
        away = away + np.minimum(outside.max(axis=1), 0)
        return away.clip(-0.03, 0.03)

    return distance


def test_values_level_and_middle_are_the_fields() -> None:
    field = _box((0.15, 0.08, 0.05))
    found = sample_field(field, 0.2)
    assert found is not None
    points = MIDDLE + np.random.default_rng(0).uniform(-0.05, 0.05, (500, 3))
    assert np.abs(found.grid(points) - field(points)).mean() < 0.001
    assert np.abs(field(found.level)).max() < FINE_M / 2
    np.testing.assert_allclose(found.middle, MIDDLE, atol=0.002)
    assert found.volume == pytest.approx(0.15 * 0.08 * 0.05, rel=0.15)
    along = np.abs((found.axes * TURN).sum(axis=0))
    assert (along > 0.98).all()
    assert np.linalg.det(found.axes) == pytest.approx(1.0)


def test_few_points_are_asked() -> None:
    asked: list[int] = []
    field = _box((0.15, 0.08, 0.05))

    def counted(points: Array) -> Array:
        asked.append(len(points))
        return field(points)

    sample_field(counted, 0.2)
    assert sum(asked) < 21_000


def test_thin_things_are_found() -> None:
    found = sample_field(_box((0.09, 0.1, 0.02)), 0.2)
    assert found is not None
    np.testing.assert_allclose(found.middle, MIDDLE, atol=0.005)


def test_islands_far_from_the_object_do_not_count() -> None:
    field = _box((0.15, 0.08, 0.05))

    def with_island(points: Array) -> Array:
        ball: Array = np.linalg.norm(points - np.array([-0.15, 0.15, -0.15]), axis=1) - 0.035
        return np.minimum(field(points), ball)

    plain, found = sample_field(field, 0.2), sample_field(with_island, 0.2)
    assert plain is not None
    assert found is not None
    np.testing.assert_allclose(found.middle, plain.middle, atol=0.002)


@pytest.mark.parametrize("value", [0.03, -0.0, float("nan")])
def test_a_field_without_an_inside_is_none(value: float) -> None:
    assert sample_field(lambda points: np.full(len(points), value), 0.2) is None


def test_a_field_that_is_unknown_behind_the_camera_is_no_trouble() -> None:
    field = _box((0.15, 0.08, 0.05))
    found = sample_field(lambda p: np.where(p[:, 2] < -0.15, np.nan, field(p)), 0.2)
    assert found is not None
    np.testing.assert_allclose(found.middle, MIDDLE, atol=0.002)


def test_unmirrored_is_the_mirror_image() -> None:
    field = _box((0.15, 0.08, 0.05))
    found = sample_field(unmirrored(field), 0.2)
    assert found is not None
    np.testing.assert_allclose(found.middle, MIDDLE * [-1, 1, 1], atol=0.002)


def test_the_mesh_of_an_unknown_object_is_its_surface() -> None:
    field = _box((0.15, 0.08, 0.05))
    mesh = field_mesh(field, 0.2)
    assert mesh is not None
    assert np.abs(field(mesh.vertices)).mean() < 0.002
    assert field_mesh(lambda points: np.full(len(points), 0.03), 0.2) is None


def test_axes_of_a_line_are_right_handed() -> None:
    axes = principal_axes(np.linspace(0, 1, 20)[:, None] * np.array([1.0, 2.0, 0.5]))
    assert np.linalg.det(axes) == pytest.approx(1.0)
