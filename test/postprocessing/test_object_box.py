"""Boxes of the held object from masks and from poses."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Box, Mesh
from hoisdf_ros.geometry.primitives import box as box_mesh
from hoisdf_ros.postprocessing.object_box import (
    GROWTH,
    box_of_object,
    object_in_mask,
)
from test.postprocessing.masks import CAMERA, hand_and_thing, window


def test_box_is_that_of_the_pixels_in_the_image_grown() -> None:
    seen = object_in_mask(*hand_and_thing(), window(mirrored=False), 640)
    assert seen is not None
    # pixel u of the mask is pixel 2 u of the crop, and that 4 u + 200 of the image
    assert seen.center == pytest.approx((4 * 39.5 + 200, 4 * 28.5 + 100))
    assert seen.box.size == pytest.approx((GROWTH * 80, GROWTH * 40))
    assert seen.share == pytest.approx(200 / 64**2)


def test_a_mirrored_crop_gives_the_mirrored_box() -> None:
    plain = object_in_mask(*hand_and_thing(), window(mirrored=False), 640)
    turned = object_in_mask(*hand_and_thing(), window(mirrored=True), 640)
    assert plain is not None
    assert turned is not None
    expected = Box(639 - plain.box.x1, plain.box.y0, 639 - plain.box.x0, plain.box.y1)
    np.testing.assert_allclose(turned.box.array(), expected.array())


@pytest.mark.parametrize("level", [0.0, 0.4])
def test_an_empty_mask_is_no_object(level: float) -> None:
    hand, thing = hand_and_thing()
    faint = np.where(thing > 0, level, 0.0)
    assert object_in_mask(hand, faint, window(mirrored=False), 640) is None
    thing[:] = 0.0
    thing[25, 31] = 1.0
    assert object_in_mask(hand, thing, window(mirrored=False), 640) is None


def test_box_of_a_pose_is_around_its_corners() -> None:
    mesh = box_mesh((0.1, 0.06, 0.02))
    box = box_of_object(mesh, np.eye(3), np.array([0.0, 0.0, 0.51]), CAMERA)
    assert box is not None
    assert box.array() == pytest.approx([260, 204, 380, 276])  # the near face, at 0.5 m


def test_a_pose_behind_the_camera_has_no_box() -> None:
    mesh: Mesh = box_mesh((0.1, 0.06, 0.02))
    assert box_of_object(mesh, np.eye(3), np.array([0.0, 0.0, 0.005]), CAMERA) is None
