"""Which estimate is of which true hand, and how many hands are found: pure functions.

The rule, for every frame:

- An estimate can be of a true hand when their boxes, cut off at the image's borders, overlap by
  an intersection over union of at least `MATCH_IOU`. The true box is around the joints.
- As many pairs as possible are made, one to one; among those ways the one with the least sum of
  wrist distances. So hands that overlap in the image are told apart by where they are.
- A hand counts when at least `VISIBLE_ENOUGH` of its outline is seen. A counted hand without an
  estimate is missed.
- An estimate without a hand is a false alarm, unless its box overlaps that of a hand in the
  image that does not count, by at least `EXCUSED_IOU`.
- An estimate whose wrist is not a finite position says nothing and is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.data.sequence_truth import TrueHand
from hoisdf_ros.datatypes import Array, Box, Camera, HandEstimate
from hoisdf_ros.evaluation.hand import wrist_error

MATCH_IOU = 0.3
EXCUSED_IOU = 0.1
VISIBLE_ENOUGH = 0.3
"""Share of a hand's outline."""

_FARTHEST_M = 10.0  # wrists farther apart cost no more, so that a pair is always worth having


@dataclass(frozen=True)
class Matches:
    """Estimates and true hands of one frame, as indices.

    Args:
        pairs: (truth, estimate) of each pair.
        missed: Counted true hands without an estimate.
        false_alarms: Estimates of nothing.
    """

    pairs: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    false_alarms: tuple[int, ...]


def iou(a: Box, b: Box, camera: Camera) -> float:
    """Intersection over union of the parts of two boxes within the image; 0 to 1."""
    first, second = _within(a, camera), _within(b, camera)
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    common = float(np.prod(np.maximum(high - low, 0.0)))
    areas = [float(np.prod(np.maximum(box[2:] - box[:2], 0.0))) for box in (first, second)]
    union = sum(areas) - common
    return common / union if union > 0 else 0.0


def counts(hand: TrueHand) -> bool:
    """Whether so much of a hand is seen that it must be found."""
    return hand.visible >= VISIBLE_ENOUGH


def match(truth: Sequence[TrueHand], found: Sequence[HandEstimate], camera: Camera) -> Matches:
    """Match the hands of one frame by the rule of this file.

    Args:
        truth: All hands whose box reaches into the image.
        found: All estimates.
        camera: Of the image.
    """
    usable = [k for k, hand in enumerate(found) if np.isfinite(hand.joints[WRIST]).all()]
    overlap = np.array(
        [[iou(hand.box, found[k].roi, camera) for k in usable] for hand in truth]
    ).reshape(len(truth), len(usable))
    apart = np.array(
        [[wrist_error(found[k].joints, hand.joints) for k in usable] for hand in truth]
    ).reshape(overlap.shape)
    allowed = overlap >= MATCH_IOU
    # an allowed pair saves more than all distances together can cost
    saved = _FARTHEST_M * (1 + min(overlap.shape, default=0))
    cost = np.where(allowed, np.minimum(apart, _FARTHEST_M) - saved, 0.0)
    rows, columns = linear_sum_assignment(cost)
    pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if allowed[r, c]]
    taken_hands, taken = {r for r, _ in pairs}, {c for _, c in pairs}
    ignored = overlap[[k for k, hand in enumerate(truth) if not counts(hand)]]
    excused = np.asarray((ignored >= EXCUSED_IOU).any(axis=0))
    return Matches(
        tuple((r, usable[c]) for r, c in pairs),
        tuple(r for r, hand in enumerate(truth) if counts(hand) and r not in taken_hands),
        tuple(k for c, k in enumerate(usable) if c not in taken and not excused[c]),
    )


def _within(box: Box, camera: Camera) -> Array:
    """(4,) x0, y0, x1, y1 of what of the box lies between the image's outer edges."""
    size = np.array([camera.width, camera.height])
    corners: Array = box.array().reshape(2, 2).clip(-0.5, size - 0.5)
    return corners.ravel()
