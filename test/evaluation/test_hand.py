"""Each error of the joints on a case whose answer is known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation import hand

TRUTH = np.random.default_rng(0).normal(0, 0.05, (21, 3))


def test_a_shift_of_ten_millimetres() -> None:
    moved = TRUTH + np.array([0.006, 0.008, 0.0])
    assert hand.joint_error(moved, TRUTH) == pytest.approx(0.01)
    assert hand.wrist_error(moved, TRUTH) == pytest.approx(0.01)
    for forgiving in (
        hand.root_relative_joint_error,
        hand.pa_joint_error,
        hand.ho3d_pa_joint_error,
        hand.scale_translation_joint_error,
    ):
        assert forgiving(moved, TRUTH) == pytest.approx(0.0, abs=1e-8)


def test_one_joint_wrong() -> None:
    moved = TRUTH.copy()
    moved[8] += [0.0, 0.021, 0.0]
    assert hand.joint_error(moved, TRUTH) == pytest.approx(0.001)
    assert hand.scale_translation_joint_error(moved, TRUTH) == pytest.approx(0.001)
    assert hand.wrist_error(moved, TRUTH) == 0.0


def test_twice_the_size() -> None:
    lengths = np.linalg.norm(TRUTH - TRUTH[0], axis=1)
    assert hand.root_relative_joint_error(2 * TRUTH, TRUTH) == pytest.approx(lengths.mean())
    assert hand.scale_translation_joint_error(2 * TRUTH, TRUTH) == pytest.approx(0.0, abs=1e-12)
    assert hand.pa_joint_error(2 * TRUTH, TRUTH) == pytest.approx(0.0, abs=1e-12)


def test_a_turn_counts_for_all_but_pa() -> None:
    turned = TRUTH @ Rotation.from_rotvec([0.2, -0.1, 0.4]).as_matrix().T
    assert hand.pa_joint_error(turned, TRUTH) == pytest.approx(0.0, abs=1e-12)
    assert hand.ho3d_pa_joint_error(turned, TRUTH) == pytest.approx(0.0, abs=1e-8)
    assert hand.scale_translation_joint_error(turned, TRUTH) > 0.005
    assert hand.root_relative_joint_error(turned, TRUTH) > 0.005


def test_a_left_hand_taken_for_a_right_one() -> None:
    mirrored = TRUTH * [-1.0, 1.0, 1.0]
    assert hand.ho3d_pa_joint_error(mirrored, TRUTH) == pytest.approx(0.0, abs=1e-8)
    assert hand.pa_joint_error(mirrored, TRUTH) > 0.01


def test_joints_not_known_give_nan_and_fewer_joints_are_refused() -> None:
    unknown = TRUTH.copy()
    unknown[20] = np.nan
    assert np.isnan(hand.joint_error(unknown, TRUTH))
    with pytest.raises(EvaluationError):
        hand.joint_error(TRUTH[:1], TRUTH)


def test_mean_pose_ignores_where_the_hands_are() -> None:
    spread = np.random.default_rng(1).normal(0, 0.01, (2, 21, 3)) * [[[1.0]], [[-1.0]]]
    spread[1] = -spread[0]
    spread[:, 0] = 0.0
    hands = TRUTH + spread + np.array([[[0.0, 0, 0.5]], [[0.1, 0, 0.9]]])
    pose = hand.mean_pose(hands)
    assert np.allclose(pose, TRUTH - TRUTH[0])
    assert hand.root_relative_joint_error(pose, hands[0]) == pytest.approx(
        np.linalg.norm(spread[0], axis=1).mean()
    )
