"""Hands in the camera frame, on the right side."""

import numpy as np
import pytest

from hoisdf_ros.conventions import JOINT_NAMES, MIRROR, RootSource, Side
from hoisdf_ros.datatypes import Array, Box, Camera, Root
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.postprocessing.hand import (
    RawHand,
    Seen,
    estimate_hand,
    turned,
    vote_spread,
    wrist_frame,
)

CAMERA = Camera(600, 600, 320, 240, 640, 480)
ROOT = Root(np.array([0.05, -0.02, 0.6]), np.eye(3) * 1e-4, RootSource.DEPTH)
INDEX, MIDDLE, PINKY = (JOINT_NAMES.index(f"{f}_MCP") for f in ("INDEX", "MIDDLE", "PINKY"))


def _raw(seed: int = 0) -> RawHand:
    rng = np.random.default_rng(seed)
    joints = rng.normal(0, 0.05, (21, 3))
    joints[0] = 0
    weights = rng.random((30, 20))
    return RawHand(
        rng.normal(0, 0.05, (778, 3)),
        joints,
        matrix_from_rotation_vector(rng.normal(0, 0.5, (16, 3))),
        rng.normal(size=10),
        rng.normal(0, 0.05, (30, 20, 3)),
        weights / weights.sum(axis=0),
    )


def _seen(side: Side) -> Seen:
    return Seen(3, side, 0.9, 0.8, ROOT, Box(250, 180, 380, 320))


def test_a_right_hand_moves_to_its_wrist() -> None:
    raw = _raw()
    hand = estimate_hand(raw, _seen(Side.RIGHT), CAMERA)
    np.testing.assert_allclose(hand.joints, raw.joints + ROOT.position)
    np.testing.assert_allclose(hand.vertices, raw.vertices + ROOT.position)
    np.testing.assert_allclose(hand.mano.translation, ROOT.position)
    uv = hand.joints_uv[5]
    expected = 600 * hand.joints[5, :2] / hand.joints[5, 2] + [320, 240]
    np.testing.assert_allclose(uv, expected)


def test_a_left_hand_is_the_mirror_image_with_mirrored_parameters() -> None:
    raw = _raw()
    hand = estimate_hand(raw, _seen(Side.LEFT), CAMERA)
    np.testing.assert_allclose(hand.joints - ROOT.position, raw.joints * [-1, 1, 1])
    mirrored = matrix_from_rotation_vector(hand.mano.pose.reshape(15, 3))
    np.testing.assert_allclose(mirrored, MIRROR @ raw.rotations[1:] @ MIRROR, atol=1e-12)


def _flat_hand() -> Array:
    """Right hand, palm down on a table seen from above: fingers along +x, thumb along +y."""
    joints = np.zeros((21, 3))
    joints[INDEX], joints[MIDDLE], joints[PINKY] = [0.09, 0.03, 0], [0.1, 0, 0], [0.08, -0.04, 0]
    return joints


@pytest.mark.parametrize(("side", "sign"), [(Side.RIGHT, 1), (Side.LEFT, -1)])
def test_wrist_z_points_out_of_the_back_of_either_hand(side: Side, sign: int) -> None:
    joints = _flat_hand() * [1, sign, 1]  # the other hand has its thumb on the other side
    frame = wrist_frame(joints, side)
    np.testing.assert_allclose(frame[:, 0], [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(frame[:, 2], [0, 0, 1], atol=1e-12)
    assert np.linalg.det(frame) == pytest.approx(1.0)


def test_spread_of_the_votes_is_their_weighted_deviation() -> None:
    votes = np.zeros((4, 20, 3))
    votes[:2, 0, 0], votes[2:, 0, 0] = 0.03, -0.03
    spread = vote_spread(votes, np.full((4, 20), 0.25))
    assert np.isnan(spread[0])  # the wrist is not voted for
    assert spread[1] == pytest.approx(0.03)
    np.testing.assert_allclose(spread[2:], 0)


def test_a_hand_is_turned_around_its_wrist_as_its_parameters_are() -> None:
    turn = matrix_from_rotation_vector(np.array([0.3, -0.2, 0.5]))
    raw = _raw()
    other = turned(raw, turn)
    np.testing.assert_allclose(other.joints, raw.joints @ turn.T)
    np.testing.assert_allclose(other.vertices, raw.vertices @ turn.T)
    np.testing.assert_allclose(other.rotations[0], turn @ raw.rotations[0])
    np.testing.assert_array_equal(other.rotations[1:], raw.rotations[1:])
    one, two = (vote_spread(hand.votes, hand.vote_weights) for hand in (other, raw))
    np.testing.assert_allclose(one, two)
