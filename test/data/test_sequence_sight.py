"""A sheet in front of, beside, behind and half over a hand."""

import numpy as np
import pytest

from hoisdf_ros.data.sequence_sight import share_in_sight, surface_points
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.primitives import box

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
SHEET = surface_points(box((0.1, 0.1, 0.002)))
HAND = np.random.default_rng(1).uniform(-0.05, 0.05, (1000, 3)) * np.array([1, 1, 0])


@pytest.mark.parametrize(
    ("offset", "share"),
    [
        ((0.0, 0.0, -0.05), 0.0),
        ((0.0, 0.0, 0.05), 1.0),
        ((0.2, 0.0, -0.05), 1.0),
        ((0.05, 0.0, -0.01), 0.5),
    ],
)
def test_what_is_hidden(offset: tuple[float, float, float], share: float) -> None:
    place: Array = np.array([0.02, -0.01, 0.5])
    seen = share_in_sight(HAND + place, SHEET + place + np.array(offset), CAMERA)
    assert seen == pytest.approx(share, abs=0.09)


def test_points_are_the_same_each_time() -> None:
    mesh = box((0.1, 0.1, 0.002))
    np.testing.assert_array_equal(surface_points(mesh), surface_points(mesh))
