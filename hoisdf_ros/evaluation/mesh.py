"""Errors of the hand's surface from its vertices, each a pure function in metres.

The mean distance of vertices is `hand.joint_error` of vertices, aligned or not.
"""

from collections.abc import Sequence

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.correspondence import require_finite
from hoisdf_ros.geometry.mesh import nearest_distances

AUC_RANGE_M, AUC_STEPS = 0.05, 100
"""Largest threshold and number of thresholds, 0 included, of every AUC in the tables."""

F_THRESHOLDS_M = (0.005, 0.015)
"""F@5 and F@15."""


def correct_shares(apart: Array) -> Array:
    """PCK: (100,) share of (...) distances in metres up to each threshold from 0 to 50 mm."""
    thresholds = np.linspace(0.0, AUC_RANGE_M, AUC_STEPS)
    ordered = np.sort(apart, axis=None)  # NaN goes last: never correct
    shares: Array = np.searchsorted(ordered, thresholds, side="right") / ordered.size
    return shares


def auc(apart: Array) -> float:
    """Area under the PCK curve as a share of the largest possible, trapezoids between thresholds.

    Thresholds count distances that equal them. The published scorers average over vertices the
    area of each; with all vertices in every sample that is the same number as this.

    Args:
        apart: (...) distances, metres.

    Raises:
        EvaluationError: There are no distances.
    """
    if not apart.size:
        raise EvaluationError("AUC of no distances: pass those of at least one sample")
    shares = correct_shares(apart)
    return float((shares.sum() - (shares[0] + shares[-1]) / 2) / (AUC_STEPS - 1))


def f_scores(
    predicted: Array, truth: Array, thresholds: Sequence[float] = F_THRESHOLDS_M
) -> tuple[float, ...]:
    """F-score at each threshold: harmonic mean of the two shares of points that are near.

    A point is near when the other set has a point at less than the threshold.

    Args:
        predicted: (N, 3) points, metres.
        truth: (M, 3) points, metres, the same frame; no correspondence needed.
        thresholds: Metres.

    Returns:
        One score in [0, 1] per threshold, 0 where nothing is near.

    Raises:
        EvaluationError: A set is empty or not finite.
    """
    require_finite(predicted, "predicted")
    require_finite(truth, "true")
    from_truth = nearest_distances(truth, predicted)
    from_predicted = nearest_distances(predicted, truth)
    return tuple(
        _harmonic_mean(float((from_truth < t).mean()), float((from_predicted < t).mean()))
        for t in thresholds
    )


def _harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0
