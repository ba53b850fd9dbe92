"""From a clean drawing to what a colour camera and a depth camera deliver."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array

_Number = TypeVar("_Number", np.int16, np.float32)

_MARGIN = 96  # pixels by which stored noise is larger than a picture
_GRAIN = (1.5, 3.0, 5.0, 8.0)  # standard deviations, steps of 1/255
_SOFT, _DEFOCUS_SHARE, _MOTION_SHARE, _JPEG_SHARE = (0.35, 0.8), 0.12, 0.2, 0.2
_MOTION_PX = (3, 11)

_DEPTH_STDDEV = 0.003  # at 1 m; grows with the square of the distance
_DISPARITY_M = 615.0 * 0.05  # focal length times baseline of a short-range stereo camera
_SUBPIXELS = 8.0
_EDGE_M = 0.03  # a larger step between neighbours is an edge
_NEAREST_M, _FARTHEST_M = 0.2, 4.0
_HOLE_SHARE = 0.55  # of the pixels at edges
_BLIND_LEVEL = 2.6  # blotches of smooth noise above this many deviations have no depth


class Sensor:
    """A camera with stored noise, cut out elsewhere and turned over for every picture.

    Args:
        width, height: Of the pictures, pixels.
        rng: Where the chance comes from.
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self._size = height, width
        shape = (height + _MARGIN, width + _MARGIN)
        unit = rng.normal(size=(*shape, 3)).astype(np.float32)
        soft = cv2.GaussianBlur(unit, (0, 0), 0.7)  # what is left of it after demosaicing
        unit = np.asarray(soft / soft.std(), dtype=np.float32)
        self._grain = [(unit * level).round().astype(np.int16) for level in _GRAIN]
        depth = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 1.2)
        self._depth = np.asarray(depth / depth.std(), dtype=np.float32)
        self._even = rng.uniform(size=shape).astype(np.float32)
        coarse = rng.normal(size=(32, 42)).astype(np.float32)
        blind = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
        self._blind = np.asarray(blind / blind.std(), dtype=np.float32)

    def _cut(self, field: NDArray[_Number], rng: np.random.Generator) -> NDArray[_Number]:
        """A piece of stored noise as large as a picture."""
        row, column = rng.integers(0, _MARGIN, size=2)
        piece = field[row : row + self._size[0], column : column + self._size[1]]
        return np.ascontiguousarray(piece[:: _sign(rng), :: _sign(rng)])

    def colour(
        self,
        image: NDArray[np.uint8],
        rng: np.random.Generator,
        noise: np.random.Generator | None = None,
    ) -> NDArray[np.uint8]:
        """Lens, exposure, white balance, noise, and sometimes compression.

        Args:
            image: (H, W, 3) RGB.
            rng: Where the chance comes from; the same for all pictures of a video, whose camera
                stays as it is.
            noise: Of a video only, another one for each of its pictures: where their grain comes
                from. What moves is blurred already then.
        """
        seen = _expose(_blur(image, rng, streaks=noise is None), rng)
        grain = self._cut(self._grain[int(rng.integers(len(_GRAIN)))], noise or rng)
        noisy = np.asarray(cv2.add(seen, grain, dtype=cv2.CV_8U), dtype=np.uint8)
        if rng.uniform() >= _JPEG_SHARE:
            return noisy
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
        _, packed = cv2.imencode(".jpg", noisy, quality)  # colours swapped twice, so not at all
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)

    def depth(
        self,
        depth: NDArray[np.float32],
        rng: np.random.Generator,
        noise: np.random.Generator | None = None,
    ) -> NDArray[np.float32]:
        """Noise, steps of disparity, and no depth at edges, too near, too far and in spots.

        Args:
            depth: (H, W) true metres, NaN where there is nothing.
            rng: Where the chance comes from.
            noise: As in `colour`; the spots stay.
        """
        true = np.nan_to_num(depth, nan=10.0)
        step = np.asarray(cv2.morphologyEx(true, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
        edge = cv2.dilate((step > _EDGE_M).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        mixed = np.where(edge, cv2.blur(true, (3, 3)), true)  # flying pixels
        level = np.float32(_DEPTH_STDDEV * np.exp(rng.normal(scale=0.4)))
        noisy = mixed + level * self._cut(self._depth, noise or rng) * mixed * mixed
        disparity = np.round(_DISPARITY_M * _SUBPIXELS / np.maximum(noisy, 0.05))
        stepped = np.float32(_DISPARITY_M * _SUBPIXELS) / np.maximum(disparity, 1.0)
        hole = edge & (self._cut(self._even, noise or rng) < _HOLE_SHARE)
        hole |= (stepped < _NEAREST_M) | (stepped > _FARTHEST_M)
        hole |= self._cut(self._blind, rng) > _BLIND_LEVEL
        stepped[hole] = np.nan
        return np.asarray(stepped, dtype=np.float32)


def _sign(rng: np.random.Generator) -> int:
    return 1 if rng.uniform() < 0.5 else -1


def _blur(
    image: NDArray[np.uint8], rng: np.random.Generator, *, streaks: bool
) -> NDArray[np.uint8]:
    """A lens is never quite sharp; sometimes it is out of focus, sometimes the hand is fast."""
    width = rng.uniform(*_SOFT)
    chance = rng.uniform()
    if chance < _DEFOCUS_SHARE:
        width = rng.uniform(1.0, 2.5)
    elif streaks and chance < _DEFOCUS_SHARE + _MOTION_SHARE:
        image = np.asarray(cv2.filter2D(image, -1, _streak(rng)), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(width)), dtype=np.uint8)


def _streak(rng: np.random.Generator) -> Array:
    """(N, N) kernel of a straight movement through the middle."""
    length = int(rng.integers(*_MOTION_PX))
    size = length | 1
    angle = rng.uniform(0, np.pi)
    reach = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([size // 2, size // 2])
    kernel = np.zeros((size, size), np.uint8)
    a, b = (tuple(map(int, np.round(middle + sign * reach))) for sign in (-1, 1))
    cv2.line(kernel, a, b, 255, 1, cv2.LINE_AA)
    streak: Array = kernel / kernel.sum()
    return streak


def _expose(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Gain, white balance and contrast, by a table for each colour."""
    gain = np.exp(rng.normal(scale=0.2)) * np.exp(rng.normal(scale=0.06, size=3))
    gamma, black = np.exp(rng.normal(scale=0.15)), rng.uniform(0, 20)
    share = (np.arange(256)[:, None] / 255) ** gamma
    table = (black + (255 - black) * np.clip(share * gain, 0, 1)).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), dtype=np.uint8)
