"""Boxes of the held object from masks and from poses."""

from dataclasses import dataclass

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array, Box, Camera, Mesh
from hoisdf_ros.geometry.primitives import box as box_mesh
from hoisdf_ros.postprocessing.object_box import (
    GROWTH,
    box_of_object,
    held_pixels,
    object_in_mask,
)

CAMERA = Camera(600, 600, 320, 240, 640, 480)


@dataclass(frozen=True)
class Window:
    """A crop of 128 pixels whose upper left corner is at (200, 100), twice as large."""

    affine: Array
    intrinsics: Array
    mirrored: bool


def _window(*, mirrored: bool) -> Window:
    affine = np.array([[0.5, 0.0, -100.0], [0.0, 0.5, -50.0]])
    return Window(affine, np.vstack([affine, [0, 0, 1]]) @ CAMERA.matrix, mirrored)


def _masks() -> tuple[Array, Array]:
    hand, thing = np.zeros((64, 64)), np.zeros((64, 64))
    hand[20:40, 10:30] = 0.9
    thing[24:34, 30:50] = 0.8
    return hand, thing


def test_box_is_that_of_the_pixels_in_the_image_grown() -> None:
    seen = object_in_mask(*_masks(), _window(mirrored=False), 640)
    assert seen is not None
    # pixel u of the mask is pixel 2 u of the crop, and that 4 u + 200 of the image
    assert seen.center == pytest.approx((4 * 39.5 + 200, 4 * 28.5 + 100))
    assert seen.box.size == pytest.approx((GROWTH * 80, GROWTH * 40))
    assert seen.share == pytest.approx(200 / 64**2)


def test_a_mirrored_crop_gives_the_mirrored_box() -> None:
    plain = object_in_mask(*_masks(), _window(mirrored=False), 640)
    turned = object_in_mask(*_masks(), _window(mirrored=True), 640)
    assert plain is not None
    assert turned is not None
    expected = Box(639 - plain.box.x1, plain.box.y0, 639 - plain.box.x0, plain.box.y1)
    np.testing.assert_allclose(turned.box.array(), expected.array())


def test_speckles_and_things_elsewhere_do_not_count_but_parted_pieces_do() -> None:
    hand, thing = _masks()
    clean = held_pixels(hand > 0.5, thing > 0.5)
    parted = thing.copy()
    parted[:, 38:40] = 0.0  # a finger in front
    assert not np.array_equal(held_pixels(hand > 0.5, parted > 0.5), parted > 0.5)
    hand[24:34, 38:40] = 0.9
    assert np.array_equal(held_pixels(hand > 0.5, parted > 0.5), parted > 0.5)
    thing[41, 20] = thing[36, 31] = 0.9  # speckles at the hand
    thing[0:8, 56:64] = 0.9  # another thing, far away
    np.testing.assert_array_equal(held_pixels(hand > 0.5, thing > 0.5), clean)


def test_without_a_hand_the_largest_piece_counts() -> None:
    hand, thing = _masks()
    thing[50:53, 5:8] = 0.9
    seen = held_pixels(np.zeros_like(hand, dtype=bool), thing > 0.5)
    assert seen[24:34, 30:50].all()


@pytest.mark.parametrize("level", [0.0, 0.4])
def test_an_empty_mask_is_no_object(level: float) -> None:
    hand, thing = _masks()
    faint = np.where(thing > 0, level, 0.0)
    assert object_in_mask(hand, faint, _window(mirrored=False), 640) is None
    thing[:] = 0.0
    thing[25, 31] = 1.0
    assert object_in_mask(hand, thing, _window(mirrored=False), 640) is None


def test_box_of_a_pose_is_around_its_corners() -> None:
    mesh = box_mesh((0.1, 0.06, 0.02))
    box = box_of_object(mesh, np.eye(3), np.array([0.0, 0.0, 0.51]), CAMERA)
    assert box is not None
    assert box.array() == pytest.approx([260, 204, 380, 276])  # the near face, at 0.5 m


def test_a_pose_behind_the_camera_has_no_box() -> None:
    mesh: Mesh = box_mesh((0.1, 0.06, 0.02))
    assert box_of_object(mesh, np.eye(3), np.array([0.0, 0.0, 0.005]), CAMERA) is None
