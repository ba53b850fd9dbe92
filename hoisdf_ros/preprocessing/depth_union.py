"""The first box of a hand and what it holds: all that the depth connects with the hand.

Before the network has looked, nobody knows an object; but what is held hangs together with the
hand in the depth and ends within reach. Forearm and object both remain, so the box is only good
for a first look; the network's own mask gives the next one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.datatypes import Array, Box, Camera, Frame
from hoisdf_ros.geometry.camera import backproject

_Flags = NDArray[np.bool_]

REACH_M = 0.17
"""From the middle of the hand to the farthest point of what it holds."""

TRUNK_M = 0.08
"""What is nearer to the middle of the hand stays, whatever it belongs to."""

THICKNESS_M = 0.12
"""Points farther than this behind the nearest in the middle of the hand's box are background."""

_NEAREST_SHARE = 5  # percentile of depth taken for the nearest, so that flying pixels do not count
_SIDE = 72  # pixels of the reach's square that are looked at: 6 mm apart
_STEP_M = 0.015  # between neighbours on one surface; more is an edge
_MIN_PIXELS = 12
_RIM = 0.93  # share of the reach from which on a branch is taken to go on


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
    grown = _ending(_connected(np.where(distance < REACH_M, z, np.nan), seeds), distance)
    if np.count_nonzero(grown) < _MIN_PIXELS:
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


def _ending(grown: _Flags, distance: Array) -> _Flags:
    """Without the branches that leave the hand and go on beyond reach: forearm, table, body."""
    branches, count = label(grown & (distance > TRUNK_M))
    beyond = np.bincount(branches[distance > _RIM * REACH_M], minlength=count + 1) > 0
    beyond[0] = False
    ending: _Flags = grown & ~beyond[branches]
    return ending
