"""Errors of meshes taken from signed distance fields, as AlignSDF and gSDF publish them.

Those numbers are in square centimetres and leave out samples without a mesh, which flatters
a method that fails often; `summarise` says what failed, and counts it where that is possible.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.correspondence import require_finite
from hoisdf_ros.geometry.mesh import nearest_distances, sample_surface

SURFACE_SAMPLES = 30_000
HAND_THRESHOLDS_M = (0.001, 0.005)
OBJECT_THRESHOLDS_M = (0.005, 0.010)

_CM2_PER_M2 = 1e4
_EPSILON = 1e-7


@dataclass(frozen=True)
class SurfaceErrors:
    """How far two surfaces are apart.

    Args:
        chamfer_cm2: Mean squared distance to the other surface, both directions summed, cm^2.
        f_scores: One F-score in [0, 1] per threshold.
    """

    chamfer_cm2: float
    f_scores: tuple[float, ...]


@dataclass(frozen=True)
class SurfaceSummary:
    """The errors of many samples.

    Args:
        samples: All samples, with and without a mesh.
        failed: Samples without a mesh.
        chamfer_mean_cm2: Over the samples with a mesh, as published; NaN without any.
        chamfer_median_cm2: Over all samples, a failed one being infinitely far.
        f_scores: Means over all samples, 0 for a failed one.
        f_scores_of_meshes: Means over the samples with a mesh, as published; NaN without any.
    """

    samples: int
    failed: int
    chamfer_mean_cm2: float
    chamfer_median_cm2: float
    f_scores: tuple[float, ...]
    f_scores_of_meshes: tuple[float, ...]


@dataclass(frozen=True)
class FieldSummary:
    """The surfaces of both fields over many samples.

    Args:
        hand: F-scores at `HAND_THRESHOLDS_M`; None without any true hand.
        object: F-scores at `OBJECT_THRESHOLDS_M`; None without any true object.
    """

    hand: SurfaceSummary | None
    object: SurfaceSummary | None


def point_set_errors(
    predicted: Array, truth: Array, thresholds: tuple[float, ...]
) -> SurfaceErrors:
    """Chamfer distance and F-scores of points on two surfaces.

    Args:
        predicted: (N, 3) points, metres.
        truth: (M, 3) points, metres, the same frame.
        thresholds: Metres; a point is near at less than that.

    Raises:
        EvaluationError: A set is empty or not finite.
    """
    require_finite(predicted, "predicted")
    require_finite(truth, "true")
    from_truth = nearest_distances(truth, predicted)
    from_predicted = nearest_distances(predicted, truth)
    square = np.square(from_truth).mean() + np.square(from_predicted).mean()
    scores = []
    for threshold in thresholds:
        a, b = (float((apart < threshold).mean()) for apart in (from_truth, from_predicted))
        scores.append(2 * a * b / (a + b + _EPSILON))
    return SurfaceErrors(_CM2_PER_M2 * float(square), tuple(scores))


def surface_errors(
    predicted: Mesh,
    truth: Mesh,
    thresholds: tuple[float, ...],
    rng: np.random.Generator,
    samples: int = SURFACE_SAMPLES,
) -> SurfaceErrors:
    """Chamfer distance and F-scores of two meshes from points spread over each.

    Two sets of points on one and the same surface are not at the same places, so even a perfect
    mesh has a small Chamfer distance and, at 1 mm, an F-score below one.

    Args:
        predicted, truth: Meshes of one frame, metres.
        thresholds: `HAND_THRESHOLDS_M` or `OBJECT_THRESHOLDS_M`.
        rng: Where the points come from.
        samples: Points on each mesh.

    Raises:
        MeshError: A mesh has no area.
        EvaluationError: A vertex is not finite.
    """
    require_finite(predicted.vertices, "predicted")
    points, true_points = (sample_surface(mesh, samples, rng)[0] for mesh in (predicted, truth))
    return point_set_errors(points, true_points, thresholds)


def summarise(
    errors: Iterable[SurfaceErrors | None], thresholds: tuple[float, ...]
) -> SurfaceSummary:
    """Means over samples, among them those for which no mesh came out.

    Args:
        errors: One entry per sample, None where the field has no surface.
        thresholds: Those the errors were measured with.

    Raises:
        EvaluationError: There are no samples, or one has another number of F-scores.
    """
    entries = list(errors)
    made = [entry for entry in entries if entry is not None]
    if not entries or any(len(entry.f_scores) != len(thresholds) for entry in made):
        raise EvaluationError(
            f"{len(entries)} samples with {sorted({len(e.f_scores) for e in made})} F-scores: "
            f"expected samples measured at the {len(thresholds)} thresholds {thresholds}"
        )
    nan = float("nan")
    chamfer = np.array([e.chamfer_cm2 if e is not None else np.inf for e in entries])
    totals = np.array([e.f_scores for e in made]).reshape(-1, len(thresholds)).sum(axis=0)
    return SurfaceSummary(
        samples=len(entries),
        failed=len(entries) - len(made),
        chamfer_mean_cm2=float(np.mean([e.chamfer_cm2 for e in made])) if made else nan,
        chamfer_median_cm2=float(np.median(chamfer)),
        f_scores=tuple(float(total / len(entries)) for total in totals),
        f_scores_of_meshes=tuple(float(t / len(made)) if made else nan for t in totals),
    )
