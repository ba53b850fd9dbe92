"""Where the detector looks, and the way back to pixels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoisdf_ros.datatypes import Box
from hoisdf_ros.detection.tiles import letterbox, tiles, whole

sides = st.integers(20, 900)
shares = st.sampled_from([0.25, 0.4, 1 / 1.6, 1.0])


@given(sides, sides, shares)
def test_tiles_cover_the_image_and_overlap_by_half(height: int, width: int, share: float) -> None:
    found = tiles(height, width, (share,))
    seen = np.zeros((height, width), int)
    for box in found:
        x0, y0, x1, y1 = np.rint(box.array() + 0.5).astype(int)
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert x1 - x0 == y1 - y0 == max(1, round(share * min(height, width)))
        seen[y0:y1, x0:x1] += 1
    assert seen.min() >= 1 or (share == 1 and height == width)
    columns = sorted({box.x0 for box in found})
    assert all(b - a <= share * min(height, width) / 2 + 1 for a, b in pairwise(columns))


def test_a_vga_image_has_two_large_and_twelve_small_tiles() -> None:
    assert len(tiles(480, 640, (1.0,))) == 2
    assert len(tiles(480, 640, (1.0, 1 / 1.6))) == 14


def test_a_square_image_is_not_looked_at_twice() -> None:
    assert tiles(300, 300, (1.0,)) == ()


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (200, 200), (50, 90)])
def test_letterboxed_pixels_find_their_way_back(size: tuple[int, int]) -> None:
    """A picture whose colours are its coordinates tells where each pixel came from."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 200 / width, y * 200 / height, np.full(size, 255)], axis=2)
    square, to_image = letterbox(image.astype(np.uint8), whole(height, width), 192)
    assert square.shape == (192, 192, 3)
    inside = square[..., 2] == 255
    assert inside.sum() == pytest.approx(192 * 192 * min(size) / max(size), rel=0.02)
    v, u = np.nonzero(inside)
    away = (np.abs(u - 95.5) < 60) & (np.abs(v - 95.5) < 60)
    v, u = v[away], u[away]
    places = np.stack([u, v], axis=1) @ to_image[:, :2].T + to_image[:, 2]
    colours = square[v, u, :2] / 200 * (width, height)
    assert np.abs(places - colours).max() < max(size) / 100


def test_a_window_is_cut_off_at_the_image() -> None:
    image = np.full((40, 60, 3), 9, np.uint8)
    square, to_image = letterbox(image, Box(-20.5, -20.5, 19.5, 19.5), 20)
    assert (square == 9).all()
    np.testing.assert_allclose(to_image @ [-0.5, -0.5, 1], [-0.5, -0.5])
    np.testing.assert_allclose(to_image @ [19.5, 19.5, 1], [19.5, 19.5])


def test_a_window_beside_the_image_is_black() -> None:
    image = np.full((40, 60, 3), 9, np.uint8)
    square, _ = letterbox(image, Box(70.0, 0.0, 90.0, 20.0), 20)
    assert not square.any()
