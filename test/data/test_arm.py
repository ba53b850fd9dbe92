"""The forearm goes away from the fingers of either hand; skin is skin-coloured."""

import numpy as np
import pytest

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.arm import arm_rotation, as_colour, forearm_mesh, skin_tone, sleeve_mesh
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

BEND = matrix_from_rotation_vector(np.array([0.0, 0.1, 0.2]))
ORIENT = matrix_from_rotation_vector(np.array([0.4, -1.0, 0.7]))


def test_the_left_forearm_is_the_mirror_image_of_the_right() -> None:
    right = arm_rotation(ORIENT, Side.RIGHT, BEND)
    left = arm_rotation(MIRROR @ ORIENT @ MIRROR, Side.LEFT, BEND)
    np.testing.assert_allclose(left[:, 0], MIRROR @ right[:, 0], atol=1e-12)
    assert np.linalg.det(left) == pytest.approx(1.0)


def test_the_sleeve_is_around_the_forearm() -> None:
    arm, sleeve = forearm_mesh(0.2, 1.3), sleeve_mesh(0.05)
    assert arm.vertices[:, 0].min() < 0 < sleeve.vertices[:, 0].min()
    assert (sleeve.size[1:] > arm.size[1:]).all()


@pytest.mark.parametrize("seed", range(5))
def test_skin_is_more_red_than_blue(seed: int) -> None:
    red, green, blue = skin_tone(np.random.default_rng(seed))
    assert 1 >= red > green > blue >= 0


def test_colours_are_clipped() -> None:
    assert as_colour(np.array([-1.0, 0.5, 2.0])) == (0.0, 0.5, 1.0)
