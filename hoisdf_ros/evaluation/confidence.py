"""Whether an estimate says how wrong it is: wrists against their covariances, pure functions.

An estimate is wrong when its wrist is farther than `WRONG_M` from that of every true hand in or
partly in the picture; when there is none, always: nothing should have been said. It is confident
unless its covariance allows for one of the true wrists, by at most `MOST_DEVIATIONS` standard
deviations (Mahalanobis 1936), or says that it knows nothing (NaN).
"""

from collections.abc import Sequence

import numpy as np

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.data.sequence_truth import TrueHand
from hoisdf_ros.datatypes import Array, HandEstimate

WRONG_M = 0.1
MOST_DEVIATIONS = 3.0

_LEAST_VARIANCE = 1e-12  # square metres; a covariance of zero claims to be exact


def deviations(offset: Array, covariance: Array) -> float:
    """How many standard deviations an offset (3,), metres, is long.

    Args:
        offset: (3,) from the estimate to the truth, metres.
        covariance: (3, 3) square metres.

    Returns:
        Their number; NaN when the covariance is not known.
    """
    if not np.isfinite(covariance).all():
        return float("nan")
    variances, axes = np.linalg.eigh(covariance)
    along = offset @ axes
    return float(np.sqrt((along**2 / np.maximum(variances, _LEAST_VARIANCE)).sum()))


def is_wrong(found: HandEstimate, truth: Sequence[TrueHand]) -> bool:
    """Whether the wrist is far from that of every true hand."""
    wrist = found.joints[WRIST]
    return all(np.linalg.norm(hand.joints[WRIST] - wrist) > WRONG_M for hand in truth)


def is_confident(found: HandEstimate, truth: Sequence[TrueHand]) -> bool:
    """Whether the covariance rules every true wrist out."""
    wrist, covariance = found.joints[WRIST], found.root.covariance
    if not np.isfinite(covariance).all():
        return False
    offsets = [hand.joints[WRIST] - wrist for hand in truth]
    return all(deviations(offset, covariance) > MOST_DEVIATIONS for offset in offsets)
