"""What of a mask counts, and where it is in the image."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from hoisdf_ros.datatypes import Box
from hoisdf_ros.postprocessing.sight import MAP_STRIDE, Window

_Flags = NDArray[np.bool_]

MASK_THRESHOLD = 0.5
"""Probability from which on a pixel counts."""

_REACH = 0.06  # a piece farther off than this share of the mask's side is another thing's
_SPECKLE_SHARE = 0.1  # pieces smaller than this share of the largest are noise
_SPECKLE = 0.0015  # pieces smaller than this share of the mask: six pixels of 64 x 64
_EIGHT = np.ones((3, 3), dtype=np.bool_)


def pieces_at(place: _Flags, flags: _Flags) -> _Flags:
    """(H, W) bool, the pixels of ``flags`` in large pieces that touch a place, or nearly do.

    Args:
        place: (H, W) bool; without any pixel every place will do.
        flags: (H, W) bool.
    """
    pieces, count = label(flags, structure=_EIGHT)
    if not count:
        return np.zeros_like(flags)
    area = np.bincount(pieces.ravel(), minlength=count + 1)
    area[0] = 0
    there = np.ones(count + 1, dtype=np.bool_)
    if place.any():
        steps = max(1, round(_REACH * len(place)))
        around = binary_dilation(place, structure=_EIGHT, iterations=steps)
        there = np.bincount(pieces[around], minlength=count + 1) > 0
    area[~there] = 0
    kept = area >= max(_SPECKLE * flags.size, _SPECKLE_SHARE * area.max())
    large: _Flags = kept[pieces]
    return large


def box_around(pixels: _Flags, window: Window, width: int, growth: float = 1.0) -> Box | None:
    """Around pixels of a mask, in the image.

    Args:
        pixels: (S/2, S/2) bool.
        window: How the network's crop lies in the image.
        width: Of the image, pixels.
        growth: Factor on the box's sides.

    Returns:
        Pixels of the image, not clipped to it; None without any pixel.
    """
    if not pixels.any():
        return None
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    low = np.array([columns[0], rows[0]], dtype=float) - 0.5
    high = np.array([columns[-1], rows[-1]], dtype=float) + 0.5
    middle, half = (low + high) / 2, growth * (high - low) / 2
    corners = MAP_STRIDE * np.stack([middle - half, middle + half])
    (x0, y0), (x1, y1) = (corners - window.affine[:, 2]) @ np.linalg.inv(window.affine[:, :2]).T
    if window.mirrored:
        x0, x1 = width - 1 - x1, width - 1 - x0
    return Box(float(x0), float(y0), float(x1), float(y1))
