"""AUC and F-score on cases whose answer is known."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.mesh import auc, correct_shares, f_scores

UP = np.array([0.0, 0.0, 5.0])
LINE = np.arange(10)[:, np.newaxis] * [0.1, 0.0, 0.0]


@pytest.mark.parametrize(
    ("apart", "area"),
    [
        (np.zeros(778), 1.0),
        (np.full(778, 0.0501), 0.0),
        # reaches 1 at the last of 100 thresholds: half of the last of 99 intervals
        (np.full(778, 0.05), 0.5 / 99),
        # between thresholds 49 (24.75 mm) and 50 (25.25 mm): 49 whole intervals and a half
        (np.full(778, 0.025), 49.5 / 99),
        (np.array([0.0, 1.0]), 0.5),
        (np.array([0.0, np.nan]), 0.5),
    ],
)
def test_auc(apart: Array, area: float) -> None:
    assert auc(apart) == pytest.approx(area)


def test_a_distance_equal_to_a_threshold_is_correct() -> None:
    threshold = np.linspace(0, 0.05, 100)[33]
    assert correct_shares(np.array([threshold]))[32:35].tolist() == [0.0, 1.0, 1.0]


def test_auc_is_the_mean_of_the_areas_of_each_vertex() -> None:
    apart = np.random.default_rng(0).exponential(0.01, (6, 778))  # samples, vertices
    thresholds = np.linspace(0, 0.05, 100)
    shares = (apart[:, :, np.newaxis] <= thresholds).mean(axis=0)  # the published way
    steps = np.diff(thresholds)
    areas = ((shares[:, 1:] + shares[:, :-1]) / 2 * steps).sum(axis=1) / 0.05
    assert auc(apart) == pytest.approx(areas.mean())
    assert auc(apart) == pytest.approx(np.mean([auc(sample) for sample in apart]))


def test_auc_of_nothing_is_refused() -> None:
    with pytest.raises(EvaluationError, match="at least one sample"):
        auc(np.zeros(0))


def test_f_scores_of_equal_and_of_distant_points() -> None:
    assert f_scores(LINE, LINE) == (1.0, 1.0)
    assert f_scores(LINE + UP, LINE) == (0.0, 0.0)


def test_f_scores_count_only_what_is_nearer_than_the_threshold() -> None:
    shift = np.array([0.0, 2.0**-7, 0.0])  # exact in binary
    assert f_scores(LINE + shift, LINE, (2.0**-7, 2.0**-6)) == (0.0, 1.0)


def test_f_score_of_known_shares() -> None:
    # 6 of 10 true points are met, all 6 predicted points lie near: 2 * 0.6 / 1.6
    assert f_scores(LINE[:6], LINE) == pytest.approx((0.75, 0.75))
    # 5 predicted points, 3 of them far away: shares 2/10 and 2/5
    predicted = np.vstack([LINE[:2], LINE[:3] + UP])
    assert f_scores(predicted, LINE) == pytest.approx((4 / 15, 4 / 15))


def test_f_score_is_symmetric_and_needs_no_order() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 0.02, (50, 3)), rng.normal(0, 0.02, (70, 3))
    assert f_scores(a, b) == pytest.approx(f_scores(b, a))
    assert f_scores(a[::-1], b) == pytest.approx(f_scores(a, rng.permutation(b)))


def test_points_that_cannot_be_searched_are_refused() -> None:
    with pytest.raises(EvaluationError, match="not finite"):
        f_scores(LINE * np.nan, LINE)
    with pytest.raises(EvaluationError, match="N > 0"):
        f_scores(LINE, LINE[:0])
