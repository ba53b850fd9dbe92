"""The backdrop: a wall without depth, a plane with depth, noise that can be repeated."""

import numpy as np
import pytest

from hoisdf_ros.data.backdrop import Backdrop, SensorNoise, random_backdrop
from hoisdf_ros.data.render import Rendered
from hoisdf_ros.datatypes import Camera
from hoisdf_ros.geometry.camera import points_from_depth

CAMERA = Camera(307.0, 307.0, 159.5, 119.5, 320, 240)


def backdrop(seed: int = 0) -> Backdrop:
    return random_backdrop(CAMERA, np.random.default_rng(seed))


def test_the_table_is_a_plane_below_and_the_wall_has_no_depth() -> None:
    background = backdrop().background
    depth = background.depth
    assert depth is not None
    assert np.isnan(depth[0]).all()
    known = np.isfinite(depth)
    assert known[-1].all()
    points = points_from_depth(depth, CAMERA)[known]
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred[::37], full_matrices=False)[2][2]
    assert np.abs(centred @ normal).max() < 1e-5
    assert points[:, 2].min() > 0.7  # behind and below where hands are
    assert points[:, 2].max() <= 2.5


def test_seeds_make_other_rooms() -> None:
    first, again, other = (backdrop(seed).background for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert np.abs(first.image.astype(int) - other.image).mean() > 5
    assert backdrop(1).light == backdrop(1).light != backdrop(2).light


def flat(depth: float) -> Rendered:
    shape = (240, 320)
    return Rendered(
        np.full((*shape, 3), 100, dtype=np.uint8),
        np.full(shape, depth, dtype=np.float32),
        np.zeros(shape, dtype=np.uint8),
    )


def test_noise_has_the_stated_size_and_no_bias() -> None:
    noise = SensorNoise(CAMERA, np.random.default_rng(0))
    near, far = noise.add(flat(0.5), 1), noise.add(flat(1.0), 1)
    assert (near.depth - 0.5).std() == pytest.approx(0.0012, rel=0.05)
    assert (far.depth - 1.0).std() == pytest.approx(0.0048, rel=0.05)
    assert abs((far.depth - 1.0).mean()) < 1e-4
    assert near.image.astype(float).std() == pytest.approx(2.5, rel=0.1)
    assert near.image.mean() == pytest.approx(100, abs=0.1)


def test_noise_depends_on_the_moment_alone() -> None:
    noise = SensorNoise(CAMERA, np.random.default_rng(0))
    first, other, again = (noise.add(flat(0.5), moment) for moment in (5, 6, 5))
    assert np.array_equal(first.depth, again.depth)
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.depth, other.depth)


def test_unknown_depth_stays_unknown_and_colour_does_not_wrap() -> None:
    noise = SensorNoise(CAMERA, np.random.default_rng(0))
    bright = flat(np.nan)
    bright.image[:] = 255
    seen = noise.add(bright, 0)
    assert np.isnan(seen.depth).all()
    assert seen.image.min() > 230
