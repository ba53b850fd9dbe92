"""Loss terms on cases whose value is known; the golden values are compared in test/golden."""

import pytest
import torch

from hoisdf_ros.network.io import HandParameters, JointVotes, ObjectVotes
from hoisdf_ros.training import losses
from hoisdf_ros.training.targets import joint_heatmap, joint_visibility


def test_heatmap_of_a_joint_peaks_at_its_pixel_and_neighbours_add_up() -> None:
    lone = joint_heatmap(torch.tensor([[[10.0, 20.0]]]), 32)
    assert lone.shape == (1, 1, 32, 32)
    assert lone[0, 0, 20, 10] == 255
    assert lone[0, 0, 20, 11] == pytest.approx(255 * 2.718281828 ** (-1 / (2 * 1.25**2)))
    pair = joint_heatmap(torch.tensor([[[10.0, 20.0], [10.0, 20.0]]]), 32)
    torch.testing.assert_close(pair, 2 * lone)


def test_visibility_is_within_four_centimetres() -> None:
    points = torch.tensor([[[0.0, 0, 0], [0.039, 0, 0], [0.041, 0, 0]]])
    visible = joint_visibility(points, torch.zeros(1, 1, 3))
    assert visible.flatten().tolist() == [1, 1, 0]


def test_sdf_clamps_the_target() -> None:
    predicted = torch.tensor([[[0.15], [-0.1]]])
    target = torch.tensor([[[0.9], [0.0]]])
    assert losses.sdf(predicted, target, 0.15) == pytest.approx(0.05)


def _votes(offset: float, joints: torch.Tensor) -> JointVotes:
    votes = joints.unsqueeze(1).repeat(1, 3, 1, 1)
    votes[:, 0] += offset
    return JointVotes(joints + offset, votes, torch.zeros(1, 3, joints.shape[1]))


def test_only_visible_pairs_vote_in_millimetres() -> None:
    joints = torch.zeros(1, 20, 3)
    visible = torch.zeros(1, 3, 20)
    visible[0, 0, :10] = 1  # ten pairs 10 mm off, ten right ones
    visible[0, 1, :10] = 1
    loss = losses.joint_votes([_votes(0.01, joints)], joints, visible)
    assert loss == pytest.approx((10 - 0.5) / 2)
    assert losses.joint_votes([_votes(0.01, joints)], joints, 0 * visible).isnan()


def test_terms_are_means_over_layers() -> None:
    joints = torch.zeros(1, 20, 3)
    layers = [_votes(0.01, joints), _votes(0.03, joints)]
    assert losses.joints(layers, joints) == pytest.approx((9.5 + 29.5) / 2)
    visible = torch.ones(1, 3, 20)
    assert losses.joint_visibility(layers, visible) == pytest.approx(0.6931472)


def test_hand_parameters_and_object_votes() -> None:
    eye = torch.eye(3).expand(1, 16, 3, 3)
    hands = [HandParameters(2 * eye, torch.full((1, 10), 3.0))]
    assert losses.rotations(hands, eye) == pytest.approx(1 / 3)
    assert losses.shape(hands, torch.zeros(1, 10)) == pytest.approx(9.0)
    votes = torch.zeros(1, 5, 3)
    held = [ObjectVotes(votes[:, 0], votes[:, 0], votes, votes)]
    assert losses.object_rotation(held, torch.full((1, 3), 2.0)) == pytest.approx(1.5)
    assert losses.object_translation(held, torch.full((1, 3), 0.1)) == pytest.approx(0.005)
