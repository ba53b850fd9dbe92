"""The crop, its intrinsics and mirroring."""

import numpy as np
import pytest

from hoisdf_ros.config import preset
from hoisdf_ros.datatypes import Array, Box, Camera
from hoisdf_ros.errors import ImageError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.preprocessing.boxes import mirrored
from hoisdf_ros.preprocessing.crop import make_crop, mirrored_camera

CAMERA = Camera(615, 610, 321.5, 238.2, 640, 480)
CONFIG = preset("dexycb")
HAND, HELD = Box(250, 180, 380, 320), Box(300, 150, 400, 330)


def test_follows_the_published_rule() -> None:
    crop = make_crop(HAND, HELD, CAMERA, CONFIG, mirror=False)
    # union of hand 1.5x around (315, 250): x 217.5..412.5, y 145..355 and
    # object 1.5x around (350, 240): x 275..425, y 105..375; centre (321, 240), side 270
    scale = 256 / 270
    np.testing.assert_allclose(crop.affine[:, :2], np.eye(2) * scale)
    np.testing.assert_allclose(crop.affine[:, 2], [128 - 321 * scale, 128 - 240 * scale])
    hand = np.array([315 - 71.5, 250 - 77, 315 + 71.5, 250 + 77])  # 1.1 times 130 x 140
    expected = scale * hand + np.tile(crop.affine[:, 2], 2)
    np.testing.assert_allclose(crop.hand_box.array(), expected)


def _pixels(points: Array, matrix: Array) -> Array:
    homogeneous = points @ matrix.T
    pixels: Array = homogeneous[:, :2] / homogeneous[:, 2:]
    return pixels


@pytest.mark.parametrize("mirror", [False, True])
def test_intrinsics_put_points_where_the_crop_shows_them(mirror: bool) -> None:
    crop = make_crop(HAND, HELD, CAMERA, CONFIG, mirror=mirror)
    points = np.random.default_rng(0).uniform([-0.1, -0.1, 0.4], [0.1, 0.1, 0.8], (20, 3))
    shown = project(points, CAMERA)
    if mirror:
        points, shown = points * [-1, 1, 1], [639, 0] + shown * [-1, 1]
    shown = shown @ crop.affine[:, :2].T + crop.affine[:, 2]
    np.testing.assert_allclose(_pixels(points, crop.intrinsics), shown, atol=1e-9)


def test_a_left_hand_is_cropped_as_the_mirrored_right_one() -> None:
    image = np.random.default_rng(1).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    flipped = np.ascontiguousarray(image[:, ::-1])
    left = make_crop(HAND, HELD, CAMERA, CONFIG, mirror=True)
    right = make_crop(
        mirrored(HAND, 640), mirrored(HELD, 640), mirrored_camera(CAMERA), CONFIG, mirror=False
    )
    np.testing.assert_array_equal(left.apply(image), right.apply(flipped))
    np.testing.assert_allclose(left.intrinsics, right.intrinsics)
    assert left.hand_box == right.hand_box


def test_resampling_keeps_a_pixel_where_the_affine_map_says() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[238:243, 318:323] = 255
    crop = make_crop(HAND, HELD, CAMERA, CONFIG, mirror=False)
    u, v = crop.affine[:, :2] @ [320, 240] + crop.affine[:, 2]
    patch = crop.apply(image)
    assert patch.shape == (256, 256, 3)
    rows, columns = np.nonzero(patch[..., 0] > 128)
    assert abs(columns.mean() - u) < 0.6
    assert abs(rows.mean() - v) < 0.6


def test_boxes_over_the_edge_are_clipped_and_boxes_outside_refused() -> None:
    crop = make_crop(Box(-40, -30, 60, 80), Box(0, 0, 50, 50), CAMERA, CONFIG, mirror=False)
    assert np.isfinite(crop.intrinsics).all()
    with pytest.raises(ImageError, match="outside the 640x480"):
        make_crop(Box(900, 0, 950, 50), Box(900, 0, 950, 50), CAMERA, CONFIG, mirror=False)
