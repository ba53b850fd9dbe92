"""Points that correspond: the checks and the distances that all metrics start from."""

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError


def distances(predicted: Array, truth: Array) -> Array:
    """(N,) metres between each of (N, 3) points and its counterpart; NaN where one is NaN.

    Raises:
        EvaluationError: The shapes differ or are not (N, 3); NumPy would repeat a lone point.
    """
    if predicted.shape != truth.shape or predicted.shape[1:] != (3,) or not len(truth):
        raise EvaluationError(
            f"predicted points of shape {predicted.shape}, true ones {truth.shape}: expected the "
            "same (N, 3) with N > 0; compare points of one layout"
        )
    apart: Array = np.linalg.norm(predicted - truth, axis=1)
    return apart


def require_finite(points: Array, what: str) -> None:
    """Refuse points that nothing can be fitted to or searched among.

    Raises:
        EvaluationError: No points, or a coordinate is NaN or infinite.
    """
    if points.ndim != 2 or points.shape[1] != 3 or not len(points):
        raise EvaluationError(f"{what} points of shape {points.shape}: expected (N, 3) with N > 0")
    bad = len(points) - int(np.isfinite(points).all(axis=1).sum())
    if bad:
        raise EvaluationError(
            f"{bad} of {len(points)} {what} points are not finite; leave this sample out and "
            "count it as missed"
        )
