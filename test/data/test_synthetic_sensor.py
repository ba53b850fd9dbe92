"""Sensor noise: of the right size, with holes at edges, the same for the same chance."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.data.synthetic_sensor import Sensor

SENSOR = Sensor(160, 120, np.random.default_rng(0))
GREY = np.full((120, 160, 3), 128, np.uint8)


def two_planes() -> NDArray[np.float32]:
    depth = np.full((120, 160), 1.0, np.float32)
    depth[:, 80:] = 0.6
    return depth


@pytest.mark.parametrize("seed", range(6))
def test_a_grey_picture_stays_about_grey_and_gets_noise(seed: int) -> None:
    image = SENSOR.colour(GREY, np.random.default_rng(seed))
    assert image.dtype == np.uint8
    assert image.shape == GREY.shape
    assert (np.abs(image.mean(axis=(0, 1)) - 128) < 90).all()
    assert 0.5 < image.std(axis=(0, 1)).mean() < 12


def test_exposure_and_white_balance_vary() -> None:
    seen = [SENSOR.colour(GREY, np.random.default_rng(s)).mean(axis=(0, 1)) for s in range(20)]
    assert np.ptp(np.mean(seen, axis=1)) > 40
    assert np.ptp([red - blue for red, _, blue in seen]) > 10


def test_colours_are_not_swapped() -> None:
    red = GREY.copy()
    red[..., 1:] = 40
    for seed in range(12):
        means = SENSOR.colour(red, np.random.default_rng(seed)).mean(axis=(0, 1))
        assert means[0] > means[1:].max() + 20


def test_depth_noise_is_millimetres_and_edges_have_holes() -> None:
    true = two_planes()
    depth = SENSOR.depth(true, np.random.default_rng(1))
    inside = np.abs(np.arange(160) - 79.5) > 4
    error = (depth - true)[:, inside]
    assert 0.0005 < np.nanstd(error) < 0.02
    assert abs(np.nanmean(error)) < 0.005
    holes = np.isnan(depth)
    assert holes[:, 78:82].mean() > 0.3
    assert holes[:, inside].mean() < 0.1
    near = depth[np.abs(true - 0.6) < 1e-3]
    assert len(np.unique(near[~np.isnan(near)])) < 60  # steps of disparity


def test_what_is_too_near_too_far_or_nowhere_has_no_depth() -> None:
    for value in (0.1, 6.0, np.nan):
        depth = SENSOR.depth(np.full((120, 160), value, np.float32), np.random.default_rng(0))
        assert depth.dtype == np.float32
        assert np.isnan(depth).all()


def test_the_same_chance_gives_the_same_picture() -> None:
    one, two = (SENSOR.colour(GREY, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, two)
    other = SENSOR.colour(GREY, np.random.default_rng(6))
    assert not np.array_equal(one, other)
