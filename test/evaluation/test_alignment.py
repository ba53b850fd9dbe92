"""What each alignment forgives, and what it does not."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import HAND_ORDER_FROM_MANO, JOINT_NAMES, MIDDLE_MCP
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.alignment import (
    procrustes_align,
    rigid_align,
    scale_translation_align,
)

RNG = np.random.default_rng(7)
TRUTH = RNG.normal([0.1, -0.05, 0.6], 0.05, (21, 3))
SEEDS = range(5)

Align = Callable[..., Array]


def similarity(points: Array, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    turned = points @ Rotation.random(random_state=seed).as_matrix().T
    moved: Array = rng.uniform(0.3, 3.0) * turned + rng.normal(0, 1, 3)
    return moved


@pytest.mark.parametrize("align", [rigid_align, procrustes_align])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_similarity_is_undone(align: Align, seed: int) -> None:
    assert np.allclose(align(similarity(TRUTH, seed), TRUTH), TRUTH, atol=1e-6)


@pytest.mark.parametrize("align", [rigid_align, procrustes_align])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_result_ignores_a_similarity_of_the_prediction(align: Align, seed: int) -> None:
    predicted = TRUTH + np.random.default_rng(seed).normal(0, 0.02, TRUTH.shape)
    moved = align(similarity(predicted, seed), TRUTH)
    assert np.allclose(moved, align(predicted, TRUTH), atol=1e-6)


def test_a_mirror_image_is_forgiven_by_ho3d_only() -> None:
    mirrored = TRUTH * [-1.0, 1.0, 1.0]
    assert np.allclose(procrustes_align(mirrored, TRUTH), TRUTH, atol=1e-6)
    assert np.abs(rigid_align(mirrored, TRUTH) - TRUTH).max() > 0.01


def test_both_agree_on_an_ordinary_prediction() -> None:
    predicted = TRUTH + RNG.normal(0, 0.01, TRUTH.shape)
    assert np.allclose(rigid_align(predicted, TRUTH), procrustes_align(predicted, TRUTH), atol=1e-6)


def test_a_known_scale() -> None:
    square = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    stretched = square * [2.0, 1.0, 1.0]
    # covariance diag(1, 1/2, 0), variance of the prediction 2 + 1/2: scale 1.5 / 2.5
    assert np.allclose(rigid_align(stretched, square), 0.6 * stretched)
    assert np.allclose(procrustes_align(stretched, square), 0.6 * stretched)


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_no_other_similarity_fits_better(flip: float) -> None:
    predicted = TRUTH * [flip, 1.0, 1.0] + RNG.normal(0, 0.02, TRUTH.shape)
    best = np.square(rigid_align(predicted, TRUTH) - TRUTH).sum()

    def cost(x: Array) -> float:
        turned = predicted @ Rotation.from_rotvec(x[:3]).as_matrix().T
        return float(np.square(np.exp(x[3]) * turned + x[4:] - TRUTH).sum())

    starts = [np.array([*Rotation.random(random_state=s).as_rotvec(), 0, 0, 0, 0]) for s in SEEDS]
    found = min(minimize(cost, start).fun for start in starts)
    assert best <= found + 1e-9
    assert best == pytest.approx(found, rel=1e-3)


@pytest.mark.parametrize("align", [rigid_align, procrustes_align])
def test_a_single_point_goes_to_the_centre(align: Align) -> None:
    moved = align(np.zeros((21, 3)), TRUTH)
    assert np.allclose(moved, TRUTH.mean(axis=0))


def test_scale_and_translation_are_undone_but_no_rotation() -> None:
    assert np.allclose(scale_translation_align(0.4 * TRUTH + [1, 2, 3], TRUTH), TRUTH)
    turned = TRUTH @ Rotation.from_rotvec([0, 0, 0.3]).as_matrix().T
    assert np.abs(scale_translation_align(turned, TRUTH) - TRUTH).max() > 0.005


def test_the_scale_comes_from_wrist_and_middle_knuckle() -> None:
    # joint 4 of the published scorer's files, which are in MANO's order
    assert HAND_ORDER_FROM_MANO[MIDDLE_MCP] == 4
    predicted = TRUTH.copy()
    predicted[JOINT_NAMES.index("THUMB_TIP")] += 0.1
    moved = scale_translation_align(predicted, TRUTH)
    assert np.allclose(np.delete(moved, 4, axis=0), np.delete(TRUTH, 4, axis=0))
    predicted = TRUTH.copy()
    predicted[MIDDLE_MCP] = TRUTH[0] + 2 * (TRUTH[MIDDLE_MCP] - TRUTH[0])
    moved = scale_translation_align(predicted, TRUTH)
    assert np.allclose(moved[1] - moved[0], (TRUTH[1] - TRUTH[0]) / 2)


def test_a_bone_without_length_leaves_all_zeros_on_the_wrist() -> None:
    assert np.allclose(scale_translation_align(np.zeros((21, 3)), TRUTH), TRUTH[0])


def test_a_reference_that_is_no_other_joint_is_refused() -> None:
    for reference in (0, 21):
        with pytest.raises(EvaluationError, match="expected 1 to 20"):
            scale_translation_align(TRUTH, TRUTH, reference)


@pytest.mark.parametrize("align", [rigid_align, procrustes_align, scale_translation_align])
def test_nan_and_other_shapes_are_refused(align: Align) -> None:
    broken = TRUTH.copy()
    broken[3, 1] = np.nan
    with pytest.raises(EvaluationError, match="1 of 21 predicted"):
        align(broken, TRUTH)
    with pytest.raises(EvaluationError, match="1 of 21 true"):
        align(TRUTH, broken)
    with pytest.raises(EvaluationError, match="shape"):
        align(TRUTH[:20], TRUTH)
