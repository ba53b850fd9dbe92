"""What one frame shows of a held object, beside the network's field: masks, colours, depth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_erosion

from hoisdf_ros.conventions import MIRROR
from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.candidates import Candidate
from hoisdf_ros.postprocessing.mask_pieces import MASK_THRESHOLD, pieces_at
from hoisdf_ros.postprocessing.sight import MAP_STRIDE, Sight

_Flags = NDArray[np.bool_]

MOST_MEASURED = 120
_MIN_PIXELS = 12
_THICKEST_M = 0.15  # measured points farther behind the nearest ones leaked into the mask
_CUBE = np.ones((3, 3), dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class ObjectView:
    """Masks of the crop, at the map's pixels, along the axes of the image's own camera.

    Args:
        seen: (G, G) bool, pixels of the held object.
        unsaid: (G, G) bool, where the object may be and not be seen: behind the hand.
        intrinsics: (3, 3) K of the map.
        flip: (3, 3) camera of the crop from the image's: a mirror, or nothing.
        measured: (K, 3) measured points of the object, metres, camera frame; none without depth.
        histogram: Of the object's colours, or None when too few pixels are seen, or nobody asked.
    """

    seen: _Flags
    unsaid: _Flags
    intrinsics: Array
    flip: Array
    measured: Array
    histogram: Array | None


@dataclass(frozen=True, eq=False)
class Masks:
    """The network's probabilities over its crop.

    Args:
        hand, thing: (S/2, S/2) of hand and object.
    """

    hand: Array
    thing: Array


def view_object(
    masks: Masks,
    picture: NDArray[np.uint8] | None,
    intrinsics: Array,
    sight: Sight | None,
    *,
    mirrored: bool,
) -> ObjectView:
    """Look at the held object through the network's crop.

    Args:
        masks: Of the crop.
        picture: (S, S, 3) uint8 RGB, the crop itself; None where colours are not asked for.
        intrinsics: (3, 3) K of the crop.
        sight: The depth in the same crop; None without depth.
        mirrored: The crop is mirrored.
    """
    step = max(1, len(masks.thing) // 64)
    hand = masks.hand[::step, ::step] > MASK_THRESHOLD
    thing = masks.thing[::step, ::step] > MASK_THRESHOLD
    seen = pieces_at(hand, thing)
    scale = MAP_STRIDE * step
    inner = binary_erosion(seen, structure=_CUBE)
    flip = MIRROR if mirrored else np.eye(3)
    measured = np.zeros((0, 3)) if sight is None else _measured(sight, inner) @ flip
    colours = None if picture is None else picture[::scale, ::scale][inner] / 255.0
    return ObjectView(
        seen=seen,
        unsaid=hand & ~seen,
        intrinsics=np.diag([1 / scale, 1 / scale, 1.0]) @ intrinsics,
        flip=flip,
        measured=measured,
        histogram=None if colours is None or len(colours) < _MIN_PIXELS else histogram(colours),
    )


def outline_misfit(view: ObjectView, points: Array) -> float:
    """How badly a surface covers the object's pixels: one minus intersection over union.

    Pixels of the hand count neither way: the object may be behind them.

    Args:
        view: The frame.
        points: (N, 3) of the surface all around, metres, camera frame.
    """
    size = len(view.seen)
    homogeneous = points @ view.flip @ view.intrinsics.T
    pixels = np.rint(homogeneous[:, :2] / np.maximum(homogeneous[:, 2:], 1e-6)).astype(int) + 1
    x, y = pixels[((pixels > 0) & (pixels <= size)).all(axis=1)].T
    covered = np.zeros((size + 2, size + 2), dtype=np.bool_)
    covered[y, x] = True
    covered = binary_closing(covered, structure=_CUBE)[1:-1, 1:-1]
    both = np.count_nonzero(covered & view.seen)
    either = np.count_nonzero((covered & ~view.unsaid) | view.seen)
    return 1.0 - both / max(either, 1)


def colour_misfit(view: ObjectView, candidate: Candidate, rotation: Array, place: Array) -> float:
    """How unlike the colours are: Hellinger distance of two histograms, in [0, 1].

    Only the side that faces the camera is compared.

    Args:
        view: The frame.
        candidate: What it may be.
        rotation, place: (3, 3) and (3,) of its middle, camera frame.

    Returns:
        NaN without a texture, or when too little of the object is seen.
    """
    if view.histogram is None or candidate.colours is None:
        return float("nan")
    facing = ((candidate.normals @ rotation.T) * (candidate.points @ rotation.T + place)).sum(1) < 0
    if not facing.any():
        return float("nan")
    alike = np.sqrt(view.histogram * histogram(candidate.colours[facing])).sum()
    return float(np.sqrt(max(0.0, 1.0 - alike)))


def histogram(colours: Array) -> Array:
    """Shares of (N, 3) RGB colours in [0, 1] over six hues of two strengths, and three greys."""
    high, low = colours.max(axis=1), colours.min(axis=1)
    chroma = high - low
    r, g, b = colours.T
    safe = np.maximum(chroma, 1e-6)
    hue = np.where(
        high == r, ((g - b) / safe) % 6, np.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4)
    )
    saturation = chroma / np.maximum(high, 1e-6)
    bins = np.zeros(15)
    grey = (saturation < 0.2) | (high < 0.12)
    np.add.at(bins, 12 + np.clip(high * 3, 0, 2).astype(int)[grey], 1.0)
    place, share = np.divmod(hue[~grey], 1.0)
    strong = 6 * (saturation[~grey] > 0.55)
    first = place.astype(int) % 6
    np.add.at(bins, strong + first, 1.0 - share)
    np.add.at(bins, strong + (first + 1) % 6, share)
    spread: Array = (bins + 0.01 * len(colours) / len(bins)) / (1.01 * len(colours))
    return spread


def _measured(sight: Sight, inner: _Flags) -> Array:
    """(K, 3) measured points of the object, spread evenly, camera frame of the crop."""
    points: Array = sight.points[inner & np.isfinite(sight.points[..., 2])]
    if len(points) < _MIN_PIXELS:
        return np.zeros((0, 3))
    near = points[points[:, 2] < np.percentile(points[:, 2], 10) + _THICKEST_M]
    picked = np.linspace(0, len(near) - 1, min(len(near), MOST_MEASURED)).astype(int)
    chosen: Array = near[picked]
    return chosen
