"""Only points that correspond are compared."""

import numpy as np
import pytest

from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.correspondence import distances, require_finite


def test_distances_keep_nan_where_it_is() -> None:
    predicted = np.array([[0.03, 0.0, 0.04], [np.nan, 0.0, 0.0]])
    apart = distances(predicted, np.zeros((2, 3)))
    assert apart[0] == pytest.approx(0.05)
    assert np.isnan(apart[1])


@pytest.mark.parametrize("shape", [(1, 3), (20, 3), (21, 2), (3,), (0, 3)])
def test_a_lone_point_is_not_repeated(shape: tuple[int, ...]) -> None:
    with pytest.raises(EvaluationError, match="shape"):
        distances(np.zeros(shape), np.zeros((21, 3)))


def test_no_points_at_all_are_refused() -> None:
    with pytest.raises(EvaluationError, match="N > 0"):
        distances(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(EvaluationError, match="N > 0"):
        require_finite(np.zeros((0, 3)), "true")


def test_the_refusal_says_how_many_points_are_bad() -> None:
    points = np.zeros((5, 3))
    points[1:3, 0] = np.inf
    with pytest.raises(EvaluationError, match="2 of 5 predicted"):
        require_finite(points, "predicted")
