"""Backdrops: behind everything, with depth where there is some, different every time."""

import numpy as np
import pytest

from hoisdf_ros.data.synthetic_backdrop import draw_backdrop
from hoisdf_ros.data.synthetic_pictures import SIZE, draw_pictures, skin
from hoisdf_ros.datatypes import Camera
from hoisdf_ros.geometry.camera import points_from_depth, project

CAMERA = Camera(155.0, 155.0, 80.0, 59.0, 160, 120)
CLOUD = np.array([[0.0, 0.1, 0.5], [0.1, -0.1, 0.7], [-0.1, 0.05, 0.6]])
PICTURES = draw_pictures([], 8, np.random.default_rng(0))


def test_pictures_are_pictures_and_differ() -> None:
    for picture in PICTURES:
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.dtype == np.uint8
    assert len({picture.tobytes() for picture in PICTURES}) == len(PICTURES)


def test_skin_is_nearly_white_and_redder_at_the_tips() -> None:
    picture = skin(np.random.default_rng(0)).astype(float)
    assert 180 < picture.mean() < 255
    tips, wrist = picture[:, :40].mean(axis=(0, 1)), picture[:, -40:].mean(axis=(0, 1))
    assert (tips[0] - tips[1]) > (wrist[0] - wrist[1])


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_in_front_of_the_points(seed: int) -> None:
    background = draw_backdrop(PICTURES, CAMERA, CLOUD, np.random.default_rng(seed))
    assert background.image.shape == (120, 160, 3)
    assert background.depth is not None
    columns, rows = np.round(project(CLOUD, CAMERA)).astype(int).T
    behind = background.depth[rows, columns]
    assert not (behind < CLOUD[:, 2] - 0.01).any()


def test_some_have_a_flat_table_below() -> None:
    tables = 0
    for seed in range(12):
        background = draw_backdrop(PICTURES, CAMERA, CLOUD, np.random.default_rng(seed))
        assert background.depth is not None
        corner = points_from_depth(background.depth, CAMERA)[-40:, 60:100].reshape(-1, 3)
        if np.isnan(corner).any():
            continue
        _, spread, axes = np.linalg.svd(corner - corner.mean(axis=0))
        tables += bool(spread[2] < 1e-3 * spread[1] and abs(axes[2, 1]) > 0.3)
    assert tables >= 4
