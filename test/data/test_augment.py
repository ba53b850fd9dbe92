"""What augmentation does to the picture, it does to the labels; without any it is serving."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.config import PRESETS
from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.augment import AugmentConfig, Colour, Variation, View, draw, make_view
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.preprocessing.crop import make_crop
from hoisdf_ros.preprocessing.roots import object_center

CAMERA = Camera(500.0, 430.0, 150.0, 110.0, 320, 240)  # fx, fy differ: turning is no rotation
CONFIG = PRESETS["demo"]
WRIST = np.array([0.01, 0.005, 0.6])


def dotted(side: Side = Side.RIGHT) -> Sample:
    """A black picture with a bright dot at each of 21 "joints"."""
    rng = np.random.default_rng(0)
    joints = WRIST + np.vstack([np.zeros(3), rng.uniform(-0.06, 0.06, (20, 3))])
    image = np.zeros((240, 320, 3), np.uint8)
    y, x = np.mgrid[:240, :320]
    for u, v in project(joints, CAMERA):
        image[(x - u) ** 2 + (y - v) ** 2 < 6] = 255
    corners = joints.mean(axis=0) + rng.uniform(-0.05, 0.05, (8, 3))
    return Sample(
        key="dots",
        image=image,
        camera=CAMERA,
        side=side,
        hand_root=joints[0],
        joints=joints,
        hand_box=box_around(joints, CAMERA),
        object_box=box_around(corners, CAMERA),
    )


def seen_at(view: View, points: Array) -> Array:
    homogeneous = (points @ view.turn.T) @ view.crop.intrinsics.T
    pixels: Array = homogeneous[:, :2] / homogeneous[:, 2:]
    return pixels


@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
@pytest.mark.parametrize("seed", range(6))
def test_points_are_found_in_the_picture_where_the_new_intrinsics_put_them(
    side: Side, seed: int
) -> None:
    sample = dotted(side)
    drawn = draw(AugmentConfig(any_rotation=True), np.random.default_rng(seed))
    view = make_view(sample, CONFIG, replace(drawn, colour=Colour()))
    assert sample.joints is not None
    pixels = np.rint(seen_at(view, sample.joints)).astype(int)
    inside = ((pixels >= 2) & (pixels < CONFIG.image_size - 2)).all(axis=1)
    assert inside.sum() >= 12
    assert (view.image[pixels[inside, 1], pixels[inside, 0], 0] > 120).all()
    assert view.image.mean() < 60


@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_without_variation_it_is_what_serving_sees(side: Side) -> None:
    sample = dotted(side)
    view = make_view(sample, CONFIG)
    assert sample.hand_box is not None
    assert sample.object_box is not None
    crop = make_crop(sample.hand_box, sample.object_box, CAMERA, CONFIG, mirror=side is Side.LEFT)
    flip = MIRROR if side is Side.LEFT else np.eye(3)
    np.testing.assert_array_equal(view.image, crop.apply(sample.image))
    np.testing.assert_allclose(view.crop.intrinsics, crop.intrinsics)
    np.testing.assert_allclose(view.crop.hand_box.array(), crop.hand_box.array())
    np.testing.assert_allclose(view.hand_root, flip @ WRIST)
    center = object_center(sample.object_box, WRIST[2], CAMERA)
    np.testing.assert_allclose(view.object_center, flip @ center)


def test_boxes_turn_with_the_scene() -> None:
    view = make_view(dotted(), CONFIG, Variation(angle=1.0))
    joints = dotted().joints
    assert joints is not None
    pixels, box, margin = seen_at(view, joints), view.crop.hand_box, CONFIG.hand_box_margin
    np.testing.assert_allclose(np.ptp(pixels, axis=0) * margin, box.size)
    middle = (pixels.min(axis=0) + pixels.max(axis=0)) / 2
    np.testing.assert_allclose(middle, box.center)


def test_a_box_without_points_is_turned_itself() -> None:
    sample = replace(dotted(), joints=None)
    quarter = make_view(sample, CONFIG, Variation(angle=np.pi / 2)).crop
    before = make_view(sample, CONFIG).crop
    stretch = np.array([CAMERA.fx / CAMERA.fy, CAMERA.fy / CAMERA.fx])  # pixels are not square
    zoomed = quarter.intrinsics[0, 0] / before.intrinsics[0, 0]
    np.testing.assert_allclose(
        quarter.object_box.size, zoomed * stretch * before.object_box.size[::-1]
    )


def test_the_wrist_is_off_along_its_ray_and_across() -> None:
    view = make_view(dotted(), CONFIG, Variation(root=(0.02, 0.0, 0.0)))
    np.testing.assert_allclose(view.hand_root, WRIST * (1 + 0.02 / np.linalg.norm(WRIST)))
    across = make_view(dotted(), CONFIG, Variation(root=(0.0, 0.01, 0.01))).hand_root - WRIST
    assert across @ WRIST == pytest.approx(0, abs=1e-12)
    assert np.linalg.norm(across) == pytest.approx(0.01 * np.sqrt(2))


def test_the_same_generator_gives_the_same_picture() -> None:
    first, again, other = (
        make_view(dotted(), CONFIG, draw(AugmentConfig(), np.random.default_rng(seed))).image
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_variation_stays_within_its_bounds() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw(AugmentConfig(), rng) for _ in range(500)]
    angles = np.array([variation.angle for variation in drawn])
    assert 0.3 < (angles == 0).mean() < 0.5
    assert np.abs(angles).max() <= np.radians(60) + 1e-9
    assert all(0.8 <= v.zoom <= 1.2 and abs(v.colour.hue) <= 0.15 for v in drawn)
    assert all(0 <= v.blur_px <= 0.5 and max(map(abs, v.hand_box)) <= 0.1 for v in drawn)
    along, across = np.std([v.root for v in drawn], axis=0)[:2]
    assert along == pytest.approx(0.02, rel=0.2)
    assert across == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        (Colour(brightness=0.5), [100, 50, 20]),
        (Colour(saturation=0.0), [123, 123, 123]),
        (Colour(contrast=0.0), [123, 123, 123]),
    ],
)
def test_colours(colour: Colour, expected: list[int]) -> None:
    plain = replace(dotted(), image=np.full((240, 320, 3), (200, 100, 40), np.uint8))
    variation = Variation(colour=colour, zoom=3.0)  # no black border
    image = make_view(plain, CONFIG, variation).image
    np.testing.assert_allclose(image[100, 100], expected, atol=1)


def test_a_sample_without_a_wrist_is_refused() -> None:
    picture = Sample("empty", np.zeros((240, 320, 3), np.uint8), CAMERA)
    with pytest.raises(DataError, match="'empty' has no wrist"):
        make_view(picture, CONFIG)
