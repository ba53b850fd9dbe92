"""From a sample to what the estimator is given."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.errors import ConfigError, EvaluationError, RootError
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.evaluation.prediction import Predictor, look_at


def test_wrist_and_boxes_are_the_true_ones(samples: list[Sample]) -> None:
    look = look_at(samples[2], EstimatorConfig())
    assert look.root.position == pytest.approx(samples[2].hand_root)
    assert look.region.side is Side.LEFT
    assert look.region.hand.box == samples[2].hand_box
    assert look.region.held is not None
    assert (look.region.held.label, look.region.held.box) == ("brick", samples[2].object_box)
    assert look_at(samples[3], EstimatorConfig()).region.held is None


def test_a_sample_without_a_hand_cannot_be_looked_at(samples: list[Sample]) -> None:
    with pytest.raises(EvaluationError, match="'made/0' has no wrist or no hand box"):
        look_at(replace(samples[0], hand_box=None), EstimatorConfig())
    far = np.array([0.0, 0.0, 9.0])
    with pytest.raises(RootError, match=r"9\.0"):
        look_at(replace(samples[0], hand_root=far, joints=None, mano=None), EstimatorConfig())


def test_one_after_the_other_is_the_same_as_at_once(
    samples: list[Sample], estimator: Estimator
) -> None:
    one, all_ = (list(Predictor(estimator, size)(enumerate(samples))) for size in (1, len(samples)))
    for a, b in zip(one, all_, strict=True):
        assert (a.place, a.sample.key, a.held is None) == (b.place, b.sample.key, b.held is None)
        np.testing.assert_allclose(a.hand.vertices, b.hand.vertices, atol=1e-6)
        assert a.surfaces is None


@pytest.mark.parametrize("part", ["turn", "shift"])
def test_weights_that_say_nonsense_are_refused(
    samples: list[Sample],
    estimator: Estimator,
    oracle: Any,  # noqa: ANN401
    part: str,
) -> None:
    setattr(oracle, part, np.full_like(getattr(oracle, part), np.nan))
    with pytest.raises(EvaluationError, match=r"sample 'made/0': what the network says"):
        list(Predictor(estimator)(enumerate(samples)))


def test_what_cannot_be_is_refused(estimator: Any) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match="batch size 0"):
        Predictor(estimator, 0)
