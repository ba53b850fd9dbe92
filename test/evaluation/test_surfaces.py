"""Chamfer distance and F-scores of surfaces whose distance is known; failures that count."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import EvaluationError, MeshError
from hoisdf_ros.evaluation.surfaces import (
    HAND_THRESHOLDS_M,
    OBJECT_THRESHOLDS_M,
    SurfaceErrors,
    point_set_errors,
    summarise,
    surface_errors,
)
from hoisdf_ros.geometry.primitives import sphere

LINE = np.arange(10)[:, np.newaxis] * np.array([0.1, 0.0, 0.0])
SAMPLES = 4000


def measured(predicted: Mesh, truth: Mesh) -> SurfaceErrors:
    rng = np.random.default_rng(0)
    return surface_errors(predicted, truth, OBJECT_THRESHOLDS_M, rng, SAMPLES)


def test_points_two_millimetres_apart() -> None:
    moved = LINE + np.array([0.0, 0.002, 0.0])
    errors = point_set_errors(moved, LINE, HAND_THRESHOLDS_M)
    assert errors.chamfer_cm2 == pytest.approx(2 * 0.2**2)  # 2 mm = 0.2 cm, both directions
    assert errors.f_scores == pytest.approx((0.0, 1.0), abs=1e-6)


def test_directions_are_averaged_before_they_are_summed() -> None:
    # 4 of 5 predicted points are exact, one is 1 cm off; every true point of 4 is met
    predicted = np.vstack([LINE[:4], LINE[:1] + np.array([0.0, 0.01, 0.0])])
    errors = point_set_errors(predicted, LINE[:4], OBJECT_THRESHOLDS_M)
    assert errors.chamfer_cm2 == pytest.approx(1.0 / 5)
    assert errors.f_scores[0] == pytest.approx(2 * 1.0 * 0.8 / 1.8, abs=1e-6)


def test_nothing_near_scores_zero() -> None:
    errors = point_set_errors(LINE + np.array([0, 1.0, 0]), LINE, OBJECT_THRESHOLDS_M)
    assert errors.f_scores == (0.0, 0.0)


def test_spheres_whose_surfaces_are_eight_millimetres_apart() -> None:
    inner, outer = sphere(0.05, rounds=4), sphere(0.058, rounds=4)
    errors = measured(inner, outer)
    assert errors.chamfer_cm2 == pytest.approx(2 * 0.8**2, rel=0.05)
    assert errors.f_scores == pytest.approx((0.0, 1.0), abs=0.01)


def test_the_same_surface_is_nearly_perfect_and_the_seed_decides() -> None:
    ball = sphere(0.05)
    errors = measured(ball, ball)
    # a point's nearest of n others spread evenly over an area A is at a mean square of A / (pi n)
    expected = 2 * 4 * 5.0**2 / SAMPLES
    assert errors.chamfer_cm2 == pytest.approx(expected, rel=0.05)
    assert errors.f_scores == pytest.approx((1.0, 1.0), abs=1e-3)
    assert measured(ball, ball) == errors


def test_one_motion_of_both_changes_nothing() -> None:
    def moved(mesh: Mesh) -> Mesh:
        turn = Rotation.from_rotvec([0.3, 1.0, -2.0]).as_matrix()
        return replace(mesh, vertices=mesh.vertices @ turn.T + np.array([1.0, 2.0, 3.0]))

    small, large = sphere(0.05), sphere(0.06)
    assert measured(moved(small), moved(large)).chamfer_cm2 == pytest.approx(
        measured(small, large).chamfer_cm2
    )


def test_failures_are_counted() -> None:
    entries = [SurfaceErrors(1.0, (0.5, 0.9)), None, SurfaceErrors(3.0, (0.7, 1.0)), None]
    found = summarise(entries, HAND_THRESHOLDS_M)
    assert (found.samples, found.failed) == (4, 2)
    assert found.chamfer_mean_cm2 == pytest.approx(2.0)
    assert found.chamfer_median_cm2 == np.inf  # between 3 and a failure
    assert found.f_scores == pytest.approx((0.3, 0.475))
    assert found.f_scores_of_meshes == pytest.approx((0.6, 0.95))


def test_the_median_survives_a_few_failures() -> None:
    entries = [SurfaceErrors(value, (1.0,)) for value in (4.0, 1.0, 2.0)]
    assert summarise([*entries, None], (0.01,)).chamfer_median_cm2 == pytest.approx(3.0)
    assert summarise(entries, (0.01,)).chamfer_median_cm2 == pytest.approx(2.0)


def test_all_failed() -> None:
    found = summarise([None, None], HAND_THRESHOLDS_M)
    assert found.failed == 2
    assert np.isnan(found.chamfer_mean_cm2)
    assert found.chamfer_median_cm2 == np.inf
    assert found.f_scores == (0.0, 0.0)
    assert np.isnan(found.f_scores_of_meshes).all()


def test_what_cannot_be_measured_is_refused() -> None:
    ball = sphere(0.05)
    flat = replace(ball, vertices=np.zeros_like(ball.vertices))
    with pytest.raises(MeshError, match="no area"):
        measured(flat, ball)
    with pytest.raises(EvaluationError, match="not finite"):
        measured(replace(ball, vertices=ball.vertices * np.nan), ball)
    with pytest.raises(EvaluationError, match="0 samples"):
        summarise([], HAND_THRESHOLDS_M)
    with pytest.raises(EvaluationError, match="2 thresholds"):
        summarise([SurfaceErrors(1.0, (0.5,))], HAND_THRESHOLDS_M)
