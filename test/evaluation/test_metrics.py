"""Each metric on a case whose answer is known."""

import numpy as np
import pytest

from hoisdf_ros.evaluation import metrics

TRUTH = np.random.default_rng(0).normal(0, 0.05, (21, 3))


def test_a_shift_of_ten_millimetres() -> None:
    moved = TRUTH + np.array([0.006, 0.008, 0.0])
    assert metrics.joint_error(moved, TRUTH) == pytest.approx(0.01)
    assert metrics.wrist_error(moved, TRUTH) == pytest.approx(0.01)
    assert metrics.root_relative_joint_error(moved, TRUTH) == pytest.approx(0.0, abs=1e-12)


def test_one_joint_wrong() -> None:
    moved = TRUTH.copy()
    moved[8] += [0.0, 0.021, 0.0]
    assert metrics.joint_error(moved, TRUTH) == pytest.approx(0.001)
    assert metrics.wrist_error(moved, TRUTH) == 0.0


def test_object_origin_error() -> None:
    assert metrics.object_origin_error(np.array([0.03, 0, 0.04]), np.zeros(3)) == 0.05


def test_add_s_forgives_a_symmetry_and_goes_from_prediction_to_truth() -> None:
    square = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])
    turned = square[[1, 2, 3, 0]]
    assert metrics.add_s(turned, square) == 0.0
    extra = np.vstack([square, [[0.0, 0, 5]]])
    assert metrics.add_s(square, extra) == 0.0
    assert metrics.add_s(extra, square) > 1.0
