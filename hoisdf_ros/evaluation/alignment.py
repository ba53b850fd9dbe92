"""The three ways in which hand benchmarks move a prediction onto the truth before measuring.

All take (N, 3) points that correspond, metres, and return the moved prediction.
"""

import numpy as np
from scipy.linalg import orthogonal_procrustes

from hoisdf_ros.conventions import MIDDLE_MCP, WRIST
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.correspondence import distances, require_finite

_HO3D_EPSILON = 1e-8


def _check(predicted: Array, truth: Array) -> None:
    distances(predicted, truth)
    require_finite(predicted, "predicted")
    require_finite(truth, "true")


def rigid_align(predicted: Array, truth: Array) -> Array:
    """The similarity without reflection that fits best (Umeyama 1991, eq. 40 to 42).

    This is the alignment of PA-MJE in HOISDF, HFL-Net and most tables for DexYCB. A prediction
    that is a single point has no scale; all of it goes to the centre of the truth.

    Raises:
        EvaluationError: Shapes differ or a coordinate is not finite.
    """
    _check(predicted, truth)
    a, b = predicted - predicted.mean(axis=0), truth - truth.mean(axis=0)
    u, s, vh = np.linalg.svd(a.T @ b / len(a))
    if np.linalg.det(vh.T @ u.T) < 0:
        s[-1], vh[-1] = -s[-1], -vh[-1]
    rotation = vh.T @ u.T
    variance = a.var(axis=0).sum()  # of the population: divided by N, as the covariance is
    scale = s.sum() / variance if variance > 0 else 0.0
    moved: Array = scale * a @ rotation.T + truth.mean(axis=0)
    return moved


def procrustes_align(predicted: Array, truth: Array) -> Array:
    """The similarity that fits best, reflections allowed: PA of HO-3D, FreiHAND and DexYCB.

    Differs from `rigid_align` only where a mirror image fits better.

    Raises:
        EvaluationError: Shapes differ or a coordinate is not finite.
    """
    _check(predicted, truth)
    a, b = predicted - predicted.mean(axis=0), truth - truth.mean(axis=0)
    size_a, size_b = (float(np.linalg.norm(x)) + _HO3D_EPSILON for x in (a, b))
    rotation, scale = orthogonal_procrustes(b / size_b, a / size_a)
    moved: Array = a / size_a @ rotation.T * scale * size_b + truth.mean(axis=0)
    return moved


def scale_translation_align(predicted: Array, truth: Array, reference: int = MIDDLE_MCP) -> Array:
    """Scale one bone to its true length, then put wrist on wrist: STMJE of HO-3D.

    The published scorer takes joint 4 of its files, which are in MANO's order: the middle
    knuckle. (Joint 4 of the 21-joint order would be the tip of the thumb.)

    Args:
        predicted, truth: (J, 3) joints, metres, wrist first.
        reference: Joint at the other end of the bone from the wrist.

    Raises:
        EvaluationError: Shapes differ, a coordinate is not finite, or there is no such joint.
    """
    _check(predicted, truth)
    if not WRIST < reference < len(truth):
        raise EvaluationError(f"reference joint {reference}: expected 1 to {len(truth) - 1}")
    bone, true_bone = (float(np.linalg.norm(j[reference] - j[WRIST])) for j in (predicted, truth))
    # kept: a bone of no length is not divided by, yet multiplied with the true length in metres
    scale = true_bone / bone if bone > 0 else true_bone
    moved: Array = scale * (predicted - predicted[WRIST]) + truth[WRIST]
    return moved
