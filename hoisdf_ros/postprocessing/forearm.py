"""The wrist where the hand's mask ends and the depth goes on without a step: at the forearm.

It needs no pose, so it helps where the pose cannot be right yet: a network that is told a wrist
far from the true one says little about the hand, while its masks do not depend on the wrist.
"""

import numpy as np

from hoisdf_ros.conventions import MIRROR, RootSource
from hoisdf_ros.datatypes import Array, Root
from hoisdf_ros.postprocessing.sight import Sight

MIN_PAIRS, MIN_SHARE = 24, 0.5
"""Fewer pairs of neighbouring pixels of hand and forearm than this, or a smaller share of all that
touch the hand's mask without a step, are an accident: of hands without an arm 8 to 26 and a tenth
to a half are found, of three in four with one over 50 and three quarters."""

STDDEV_M = 0.02
"""Of the wrist found so, each way: rendered hands with good masks are 10 mm off in the median and
20 mm in the worst tenth, and masks are not always good."""

_STEP_M = 0.015  # between neighbours on one surface; more is an edge
_BAND_M = 0.04  # about half the width of a wrist; what is farther from its middle touches elsewhere
_SKIN_TO_JOINT_M = 0.02
_ROUNDS = 3
_SHIFTS = ((0, 1), (1, 0), (0, 2), (2, 0))  # two pixels, too: on the border itself masks are vague


def wrist_at_forearm(sight: Sight) -> Root | None:
    """Where the hand goes over into something that is neither hand nor held object.

    Args:
        sight: Depth and masks.

    Returns:
        The wrist in the camera frame of the image; None where no forearm is seen.
    """
    touching = _touching(sight)
    if len(touching) < MIN_PAIRS:
        return None
    middle = np.median(touching, axis=0)
    for _ in range(_ROUNDS):
        near = touching[np.linalg.norm(touching - middle, axis=1) < _BAND_M]
        if len(near) < max(MIN_PAIRS, MIN_SHARE * len(touching)):
            return None
        middle = near.mean(axis=0)
    wrist = middle * (1 + _SKIN_TO_JOINT_M / np.linalg.norm(middle))
    flip = MIRROR if sight.mirrored else np.eye(3)
    return Root(wrist @ flip, STDDEV_M**2 * np.eye(3), RootSource.DEPTH)


def _touching(sight: Sight) -> Array:
    """(N, 3) points between neighbouring pixels of hand and forearm on one surface, metres."""
    rows, columns = sight.hand.shape
    arm = ~sight.hand & ~sight.unsaid
    found = []
    for down, right in _SHIFTS:
        here = np.s_[: rows - down, : columns - right]
        there = np.s_[down:, right:]
        border = (sight.hand[here] & arm[there]) | (arm[here] & sight.hand[there])
        one, other = sight.points[here][border], sight.points[there][border]
        smooth = np.abs(one[:, 2] - other[:, 2]) < _STEP_M
        found.append((one + other)[smooth] / 2)
    return np.concatenate(found)
