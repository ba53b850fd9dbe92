"""Depth and masks as the network's crop shows them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array

_Flags = NDArray[np.bool_]
_Pixels = NDArray[np.int64]

MAP_STRIDE = 2
"""Pixel u of a mask looks at pixel 2 u of the crop."""

_GRID = 64  # pixels of a finer mask are left out: they cost time and say the same again
_MAX_POINTS = 200
_MAYBE = 0.25  # an object's probability from which on it may hide the hand
_BODY_M = 0.13  # a hand's points are no farther from their middle; what is, leaked into the mask


class Window(Protocol):
    """How the network's crop lies in the image; as `preprocessing.crop.Crop`."""

    @property
    def affine(self) -> Array:
        """(2, 3) crop pixels from image pixels, of the mirrored image if it is mirrored."""

    @property
    def intrinsics(self) -> Array:
        """(3, 3) K of the crop."""

    @property
    def mirrored(self) -> bool:
        """The image was mirrored left to right first."""


@dataclass(frozen=True, eq=False)
class Sight:
    """What depth and masks say, pixel by pixel of a map (G, G) over the crop.

    Args:
        points: (G, G, 3) measured points, metres, camera frame of the crop, which is the image's
            mirrored where the crop is; NaN where unknown.
        hand: (G, G) bool, a pixel of the hand whose depth is known.
        unsaid: (G, G) bool, where hand may be and not be seen: the held object, unknown depth.
        intrinsics: (3, 3) K of the map.
        mirrored: The crop is mirrored.
    """

    points: Array
    hand: _Flags
    unsaid: _Flags
    intrinsics: Array
    mirrored: bool

    def hand_points(self) -> Array:
        """(N, 3) measured points of the hand, at most `_MAX_POINTS`, spread evenly."""
        points: Array = self.points[self.hand]
        if not len(points):
            return points
        body = points[np.linalg.norm(points - np.median(points, axis=0), axis=1) < _BODY_M]
        picked: Array = body[np.linspace(0, len(body) - 1, min(len(body), _MAX_POINTS)).astype(int)]
        return picked

    def unhidden(self, points: Array) -> _Flags:
        """Which points (N, 3), camera frame, would be seen if the hand were there."""
        pixels, size = self.pixels(points), len(self.hand)
        inside = ((pixels >= 0) & (pixels < size)).all(axis=1)
        x, y = pixels.clip(0, size - 1).T
        behind = ~self.unsaid[y, x] & (self.points[y, x, 2] >= points[:, 2])
        unhidden: _Flags = inside & (self.hand[y, x] | behind)
        return unhidden

    def pixels(self, points: Array) -> _Pixels:
        """(N, 2) pixels of the map, x before y; may lie beside it."""
        focal, principal = self.intrinsics[[0, 1], [0, 1]], self.intrinsics[:2, 2]
        return np.rint(points[:, :2] / points[:, 2:] * focal + principal).astype(np.int64)


def see(
    depth: NDArray[np.float32],
    window: Window,
    hand_mask: Array,
    object_mask: Array,
    limits: tuple[float, float],
) -> Sight:
    """Look at the depth through the network's crop.

    Args:
        depth: (H, W) metres along z, registered to the image; NaN where unknown.
        window: How the crop lies in the image.
        hand_mask, object_mask: (S/2, S/2) the network's probabilities.
        limits: Nearest and farthest depth believed, metres.
    """
    step = max(1, len(hand_mask) // _GRID)
    hand_mask, object_mask = hand_mask[::step, ::step], object_mask[::step, ::step]
    scale = MAP_STRIDE * step
    points = _points(depth, window, scale, len(hand_mask))
    z = points[..., 2]
    known = (z >= limits[0]) & (z <= limits[1])
    points[~known] = np.nan
    hand = known & (hand_mask > 0.5) & (hand_mask > object_mask)
    return Sight(
        points=points,
        hand=hand,
        unsaid=~hand & ((object_mask > _MAYBE) | ~known),
        intrinsics=np.diag([1 / scale, 1 / scale, 1.0]) @ window.intrinsics,
        mirrored=window.mirrored,
    )


def _points(depth: NDArray[np.float32], window: Window, scale: int, size: int) -> Array:
    """(size, size, 3) the points measured nearest to the pixels of the map."""
    image_from_crop = np.linalg.inv(np.vstack([window.affine, [0.0, 0.0, 1.0]]))
    axis = np.arange(size) * scale
    (sx, _, ox), (_, sy, oy) = image_from_crop[:2]
    columns, rows = np.rint(axis * sx + ox).astype(int), np.rint(axis * sy + oy).astype(int)
    height, width = depth.shape
    inside_x, inside_y = (columns >= 0) & (columns < width), (rows >= 0) & (rows < height)
    source = width - 1 - columns if window.mirrored else columns
    z = depth[np.ix_(rows.clip(0, height - 1), source.clip(0, width - 1))].astype(float)
    z[~(inside_y[:, None] & inside_x)] = np.nan
    camera = image_from_crop @ window.intrinsics
    x = (columns - camera[0, 2]) / camera[0, 0] * z
    y = ((rows - camera[1, 2]) / camera[1, 1])[:, None] * z
    return np.stack([x, y, z], axis=-1)
