"""What is behind the hand: a wall, a table, light, and the noise of the sensor."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.data.render import Background, Light, Rendered
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.camera import points_from_depth

_TABLE_TEXELS = 512
_TABLE_HEIGHT_M, _TABLE_END_M = 0.5, 2.5
_COLOUR_NOISE = 2.5  # standard deviation in steps of 1/255
_DEPTH_NOISE = 0.0048  # standard deviation at 1 m; grows with the square of the distance
_MARGIN = 64  # pixels by which the stored noise is larger than the picture


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A wall without depth, a table with depth, and light."""

    background: Background
    light: Light


def random_backdrop(camera: Camera, rng: np.random.Generator) -> Backdrop:
    """A wall that fades from one colour to another, a table below, a lamp from above."""
    fade = np.linspace(0.0, 1.0, camera.height)[:, None, None]
    top, bottom = _muted(rng), _muted(rng)
    wall = top + (bottom - top) * fade + np.zeros((camera.height, camera.width, 3))
    wall += 6 * _blotches((camera.height, camera.width), 8, rng)[..., None]
    depth = _table_depth(camera, rng)
    table = _muted(rng) + _grain(camera, depth, rng)
    image = np.where(np.isnan(depth)[..., None], wall, table)
    towards = (rng.uniform(-0.8, 0.8), rng.uniform(-1.2, -0.4), -1.0)
    warmth = rng.uniform(-0.08, 0.08)
    light = Light(towards, (1.0 + warmth, 1.0, 1.0 - warmth), rng.uniform(0.35, 0.55))
    return Backdrop(Background(image.clip(0, 255).astype(np.uint8), depth), light)


def _muted(rng: np.random.Generator) -> Array:
    """(3,) a colour that does not shout, 0 to 255."""
    tint: Array = rng.uniform(70, 200) + rng.uniform(-25, 25, size=3)
    return tint


def _table_depth(camera: Camera, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) metres to a table below and behind the hands, NaN above its far edge."""
    rays = points_from_depth(np.ones((camera.height, camera.width)), camera)
    slope = rng.uniform(0.15, 0.3)  # y = height - slope * z
    down = rays[..., 1] + slope
    depth = np.where(down > 0, _TABLE_HEIGHT_M / np.where(down > 0, down, 1.0), np.inf)
    return np.where(depth < _TABLE_END_M, depth, np.nan).astype(np.float32)


def _grain(camera: Camera, depth: NDArray[np.float32], rng: np.random.Generator) -> Array:
    """(H, W, 3) brightness of the table's blotches, in perspective."""
    blotches = _blotches((_TABLE_TEXELS, _TABLE_TEXELS), 96, rng).astype(np.float32)
    points = np.nan_to_num(points_from_depth(depth, camera)).astype(np.float32)
    x, z = (points[..., k] * _TABLE_TEXELS / 3.0 for k in (0, 2))
    seen = cv2.remap(blotches, x, z, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    grain: Array = seen[..., None] * rng.uniform(3, 8, size=3)
    return grain


def _blotches(shape: tuple[int, int], cells: int, rng: np.random.Generator) -> Array:
    """(H, W) smooth noise of about unit size with so many blotches along an edge."""
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    smooth = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, dtype=float)


class SensorNoise:
    """Noise of colour and depth: a stored field, cut out elsewhere for every moment.

    Args:
        camera: Size of the pictures.
        rng: Where the chance comes from.
    """

    def __init__(self, camera: Camera, rng: np.random.Generator) -> None:
        shape = (camera.height + _MARGIN, camera.width + _MARGIN)
        colour = rng.normal(scale=_COLOUR_NOISE, size=(*shape, 3))
        self._colour = colour.round().astype(np.int16)
        self._depth = rng.normal(scale=_DEPTH_NOISE, size=shape).astype(np.float32)
        self._size = camera.height, camera.width

    def add(self, rendered: Rendered, moment: int) -> Rendered:
        """The frame as a sensor would see it; the same moment always gives the same noise."""
        place = np.random.default_rng(moment).integers(0, _MARGIN, size=2)
        rows, columns = (slice(p, p + n) for p, n in zip(place, self._size, strict=True))
        image = cv2.add(rendered.image, self._colour[rows, columns], dtype=cv2.CV_8U)
        depth = rendered.depth + self._depth[rows, columns] * rendered.depth**2
        return Rendered(np.asarray(image, dtype=np.uint8), depth, rendered.ids)
