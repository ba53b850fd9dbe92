"""The first box of a hand and what it holds: all that the depth connects with the hand.

Before the network has looked, nobody knows an object; but what is held hangs together with the
hand in the depth and ends within reach. Forearm and object both remain, so the box is only good
for a first look; the network's own mask gives the next one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.datatypes import Array, Box, Camera, Frame
from hoisdf_ros.geometry.camera import backproject

_Flags = NDArray[np.bool_]

REACH_M = 0.2
"""From the middle of the hand to the farthest point of what it holds."""

THICKNESS_M = 0.12
"""Points farther than this behind the nearest in the middle of the hand's box are background."""

_NEAREST_SHARE = 5  # percentile of depth taken for the nearest, so that flying pixels do not count
_SIDE = 72  # pixels of the reach's square that are looked at: 6 mm apart
_STEP_M = 0.015  # between neighbours on one surface; more is an edge
_MIN_PIXELS = 12
_DIRECTIONS = 12
_SURROUNDED = 0.6  # share of directions in which something large goes on beyond reach


def depth_union(frame: Frame, hand: Box, config: EstimatorConfig) -> Box | None:
    """The box around the hand and all that is connected with it.

    Args:
        frame: Image with registered depth.
        hand: The hand's box, pixels.
        config: Depths that are believed.

    Returns:
        Pixels of the image, no smaller than the hand's box; None without depth in the hand's
        box, or when the hand lies on something large, such as a table, that hides where the held
        thing ends.
    """
    if frame.depth is None:
        return None
    depth = np.where(
        (frame.depth >= config.min_depth_m) & (frame.depth <= config.max_depth_m),
        frame.depth,
        np.nan,
    )
    middle = _middle_of_hand(depth, hand)
    if middle is None:
        return None
    center = backproject(hand.center, middle, frame.camera)
    rows, columns = _window(hand, REACH_M / middle * frame.camera.fx, frame.camera)
    z = depth[np.ix_(rows, columns)].astype(float)
    uv = np.stack(np.meshgrid(columns, rows), axis=-1)
    away = backproject(uv, z, frame.camera) - center
    distance = np.linalg.norm(away, axis=-1)
    (cx, cy), (width, height) = hand.center, hand.size
    inner = (np.abs(uv[..., 0] - cx) < width / 4) & (np.abs(uv[..., 1] - cy) < height / 4)
    seeds = inner & (np.abs(z - middle) < THICKNESS_M / 2)
    grown = _connected(np.where(distance < REACH_M, z, np.nan), seeds)
    if np.count_nonzero(grown) < _MIN_PIXELS or _surrounded(away[grown], distance[grown]):
        return None
    (x0, y0), (x1, y1) = uv[grown].min(axis=0), uv[grown].max(axis=0)
    return Box(
        min(hand.x0, float(x0)),
        min(hand.y0, float(y0)),
        max(hand.x1, float(x1)),
        max(hand.y1, float(y1)),
    )


def _middle_of_hand(depth: NDArray[np.float32], hand: Box) -> float | None:
    (cx, cy), (width, height) = hand.center, hand.size
    rows = slice(max(0, round(cy - height / 4)), max(0, round(cy + height / 4) + 1), 2)
    columns = slice(max(0, round(cx - width / 4)), max(0, round(cx + width / 4) + 1), 2)
    values = depth[rows, columns]
    values = values[np.isfinite(values)]
    if len(values) < _MIN_PIXELS:
        return None
    nearest = np.percentile(values, _NEAREST_SHARE)
    return float(np.median(values[values <= nearest + THICKNESS_M]))


def _window(
    hand: Box, reach_px: float, camera: Camera
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the image to look at: the square within reach, sparsely."""
    step = max(1, round(2 * reach_px / _SIDE))
    cx, cy = hand.center
    first = [max(0, int(middle - reach_px)) for middle in (cy, cx)]
    last = [
        min(end, int(middle + reach_px) + 1)
        for middle, end in ((cy, camera.height), (cx, camera.width))
    ]
    return np.arange(first[0], last[0], step), np.arange(first[1], last[1], step)


def _connected(z: Array, seeds: _Flags) -> _Flags:
    """(H, W) bool, the piece of smooth depth that holds most of the seeds."""
    number = np.arange(z.size).reshape(z.shape)
    pairs = []
    for here, there in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        smooth = np.abs(z[here] - z[there]) < _STEP_M  # False where unknown
        pairs.append(np.stack([number[here][smooth], number[there][smooth]]))
    one, other = np.concatenate(pairs, axis=1)
    edges = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(z.size, z.size))
    _, pieces = connected_components(edges, directed=False)
    pieces = pieces.reshape(z.shape)
    votes = pieces[seeds & np.isfinite(z)]
    if not len(votes):
        return np.zeros(z.shape, dtype=np.bool_)
    found: _Flags = (pieces == np.bincount(votes).argmax()) & np.isfinite(z)
    return found


def _surrounded(away: Array, distance: Array) -> bool:
    """Whether what is connected reaches the limit almost all around."""
    rim = away[distance > 0.9 * REACH_M]
    angle = np.arctan2(rim[:, 1], rim[:, 0])
    directions = np.unique(np.floor(angle / (2 * np.pi) * _DIRECTIONS))
    return bool(len(directions) > _SURROUNDED * _DIRECTIONS)
