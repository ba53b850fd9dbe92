"""The runner: a network that knows the labels has no error, one that errs has exactly its error."""

from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.by_name import NamedData
from hoisdf_ros.data.object_models import MeshLibrary
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.datatypes import Box, Mesh
from hoisdf_ros.errors import ConfigError, EvaluationError
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.evaluation.evaluate import Evaluation, Run, Truth
from hoisdf_ros.evaluation.field_meshes import FieldMeshes
from hoisdf_ros.evaluation.hand import root_relative
from hoisdf_ros.evaluation.prediction import Predictor
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

DISTANCES = ("mje", "pa_mje", "stmje", "abs_mje", "mesh", "pa_mesh")
MICROMETRE = 1e-6


def evaluated(data: NamedData, estimator: Estimator, **options: Any) -> Evaluation:  # noqa: ANN401
    predictor = Predictor(estimator, options.pop("batch_size", 4))
    return Run(data, predictor, options.pop("mean_hand", None), options.pop("limit", None)).go(
        **options
    )


def test_who_knows_the_labels_errs_by_nothing(data: NamedData, estimator: Estimator) -> None:
    found = evaluated(data, estimator)
    hand, held = found.summary.hand, found.summary.held
    assert hand is not None
    assert held is not None
    assert [getattr(hand, name) for name in DISTANCES] == pytest.approx([0.0] * 6, abs=MICROMETRE)
    assert (hand.mesh_auc, hand.f5, hand.pa_f15) == pytest.approx((1, 1, 1), abs=6e-3)
    *metres, reprojection_px, rep_5, abs_add_10 = astuple(held.errors)
    assert metres == pytest.approx([0.0] * len(metres), abs=2 * MICROMETRE)
    assert reprojection_px == pytest.approx(0.0, abs=1e-3)
    assert (rep_5, abs_add_10) == (1.0, 1.0)
    assert (found.summary.samples, found.summary.hands, held.samples) == (6, 6, 5)
    assert found.places == (0, 1, 2, 3, 4, 5)
    assert found.samples[3].held is None  # there is no object to measure
    assert found.left_out == {}
    assert found.ms_per_sample > 0
    assert len(found.joints) == 0


def test_an_object_that_is_off_is_off_by_that_much(
    data: NamedData,
    estimator: Estimator,
    oracle: Any,  # noqa: ANN401
) -> None:
    oracle.shift = np.array([0.003, 0.0, 0.004])
    held = evaluated(data, estimator).summary.held
    assert held is not None
    for name in ("oce", "mce", "ome", "abs_oce", "gsdf_center"):
        assert getattr(held.errors, name) == pytest.approx(0.005, abs=2 * MICROMETRE)
    assert 0 < held.errors.adds < 0.005 + MICROMETRE


def test_a_hand_that_is_turned_is_off_by_the_way_its_joints_go(
    data: NamedData,
    samples: list[Sample],
    estimator: Estimator,
    oracle: Any,  # noqa: ANN401
) -> None:
    oracle.turn = matrix_from_rotation_vector([0.0, 0.2, 0.1])
    found = evaluated(data, estimator)
    for sample, errors in zip(samples, found.samples, strict=True):
        assert sample.joints is not None
        flip = MIRROR if sample.side is Side.LEFT else np.eye(3)
        relative = root_relative(sample.joints) @ flip
        expected = np.linalg.norm(relative @ oracle.turn.T - relative, axis=1).mean()
        assert errors.hand is not None
        assert errors.hand.mje == pytest.approx(expected, abs=MICROMETRE)
        assert errors.hand.abs_mje == pytest.approx(expected, abs=MICROMETRE)  # the wrist is given
        assert errors.hand.pa_mje == pytest.approx(0.0, abs=MICROMETRE)


def test_the_mean_pose_is_measured_on_the_hands_own_side(
    samples: list[Sample],
    name_data: Callable[..., NamedData],
    estimator: Estimator,
) -> None:
    left = samples[2]
    assert left.joints is not None
    mirrored = root_relative(left.joints) @ MIRROR
    found = evaluated(name_data([left]), estimator, mean_hand=mirrored)
    unknown = evaluated(name_data([left]), estimator, mean_hand=None)
    assert found.summary.hand is not None
    assert unknown.summary.hand is not None
    assert found.summary.hand.mean_pose_mje == pytest.approx(0.0, abs=MICROMETRE)
    assert np.isnan(unknown.summary.hand.mean_pose_mje)


@pytest.mark.parametrize("batch_size", [1, 2, 6, 50])
def test_batches_change_nothing(
    data: NamedData,
    estimator: Estimator,
    oracle: Any,  # noqa: ANN401
    batch_size: int,
) -> None:
    oracle.shift = np.array([0.01, 0.0, 0.0])
    found = evaluated(data, estimator, batch_size=batch_size)
    assert [sample.name for sample in found.samples] == list(data.samples.keys)
    assert found.summary.held is not None
    assert found.summary.held.errors.oce == pytest.approx(0.01, abs=2 * MICROMETRE)


def test_what_cannot_be_looked_at_is_counted_and_not_guessed(
    samples: list[Sample], name_data: Callable[..., NamedData], estimator: Estimator
) -> None:
    spoilt = [
        samples[0],
        replace(samples[1], hand_box=None),
        replace(samples[2], hand_box=Box(900, 900, 950, 950), object_box=Box(900, 900, 950, 950)),
        samples[3],
        replace(samples[4], hand_root=None, joints=None, mano=None),
        replace(samples[5], mano=None),
    ]
    data = replace(name_data(spoilt, [0]), usable_only=True)
    found = evaluated(data, estimator)
    assert found.places == (3, 5)
    assert found.summary.hands == 1
    assert found.summary.held is not None
    assert found.left_out == {
        "no hand annotated": 2,
        "hand outside the picture": 1,
        "hand or object not annotated, or hand outside the picture": 1,
    }


def test_nothing_to_measure_is_an_error(
    samples: list[Sample], name_data: Callable[..., NamedData], estimator: Estimator
) -> None:
    blind = name_data([replace(sample, hand_box=None) for sample in samples])
    with pytest.raises(EvaluationError, match=r"none of the 6 samples.*6 with no hand annotated"):
        evaluated(blind, estimator)
    with pytest.raises(EvaluationError, match="'synthetic:test' has no samples"):
        evaluated(name_data([]), estimator)
    with pytest.raises(ConfigError, match="0 samples: ask for at least one"):
        evaluated(name_data(samples), estimator, limit=0)


def test_objects_without_a_mesh_or_a_score_are_left_out(
    data: NamedData, estimator: Estimator
) -> None:
    for change in (
        replace(data, objects=MeshLibrary({})),
        replace(data, not_scored=frozenset({"brick"})),
    ):
        summary = evaluated(change, estimator).summary
        assert (summary.held, summary.hands) == (None, 6)


def test_a_few_are_spread_evenly(data: NamedData, estimator: Estimator) -> None:
    assert evaluated(data, estimator, limit=3).places == (0, 2, 5)
    assert evaluated(data, estimator, limit=99).places == (0, 1, 2, 3, 4, 5)


def test_hands_are_kept_for_a_submission(
    data: NamedData, samples: list[Sample], estimator: Estimator
) -> None:
    found = evaluated(data, estimator, keep=True)
    assert samples[2].joints is not None
    np.testing.assert_allclose(found.joints[2], samples[2].joints, atol=2 * MICROMETRE)
    assert [vertices.shape for vertices in found.vertices] == [(778, 3)] * 6


def test_a_sample_can_be_shown_with_what_is_said_of_it(
    data: NamedData,
    samples: list[Sample],
    estimator: Estimator,
    oracle: Any,  # noqa: ANN401
) -> None:
    oracle.shift = np.array([0.01, 0.0, 0.0])
    run = Run(data, Predictor(estimator), None)
    shown = run.shown(2)
    for scene in (shown.predicted, shown.truth):
        assert scene.hand is not None
        assert scene.held is not None
    assert shown.image is samples[2].image
    assert shown.predicted.hand is not None
    assert samples[2].joints is not None
    np.testing.assert_allclose(shown.predicted.hand.joints, samples[2].joints, atol=MICROMETRE)
    assert shown.predicted.held is not None
    assert shown.truth.held is not None
    apart = shown.predicted.held.vertices - shown.truth.held.vertices
    np.testing.assert_allclose(apart, np.tile([-0.01, 0, 0], (len(apart), 1)), atol=MICROMETRE)
    assert run.shown(3).truth.held is None


def test_true_surfaces_lie_about_wrist_and_centre(
    data: NamedData, samples: list[Sample], brick: Mesh
) -> None:
    center = np.array([0.0, 0.0, 0.5])
    truth = Truth(data.hands, data.objects).surfaces(samples[0], center)
    assert isinstance(truth, FieldMeshes)
    assert truth.hand is not None
    assert truth.object is not None
    assert np.linalg.norm(truth.hand.vertices, axis=1).max() < 0.25
    place = samples[0].object_translation
    assert place is not None
    middle = truth.object.vertices.mean(axis=0) - (place - center)
    assert middle == pytest.approx(np.zeros(3), abs=1e-9)
    assert len(truth.object.faces) == len(brick.faces)
    assert Truth(data.hands, data.objects).surfaces(samples[3], center).object is None
