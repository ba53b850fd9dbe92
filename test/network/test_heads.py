"""The heads' formulas, one point and one joint at a time."""

import torch

from hoisdf_ros.network.field_tokens import SurfaceDensity
from hoisdf_ros.network.heads import (
    HandParameterHead,
    JointVoteHead,
    ObjectPoseHead,
    rotation_from_6d,
)


@torch.no_grad()
def test_joint_is_the_softmax_weighted_mean_of_the_votes() -> None:
    torch.manual_seed(0)
    head = JointVoteHead(8)
    features, points = torch.randn(1, 5, 8), torch.randn(1, 5, 3)
    votes = head(features, points)
    logits, offsets = head.visibility(features), head.offset(features).view(1, 5, 20, 3)
    for joint in (0, 7, 19):
        weights = torch.exp(logits[0, :, joint])
        weights /= weights.sum()
        expected = sum(weights[i] * (points[0, i] + offsets[0, i, joint]) for i in range(5))
        torch.testing.assert_close(votes.joints[0, joint], expected)


def test_6d_gives_rotations_whose_first_column_keeps_its_direction() -> None:
    torch.manual_seed(1)
    columns = torch.randn(50, 6)
    rotation = rotation_from_6d(columns)
    identity = torch.eye(3).expand(50, 3, 3)
    torch.testing.assert_close(rotation @ rotation.transpose(1, 2), identity, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(50))
    first = columns[:, :3] / columns[:, :3].norm(dim=1, keepdim=True)
    torch.testing.assert_close(rotation[..., 0], first)
    assert ((rotation[..., 1] * columns[:, 3:]).sum(-1) > 0).all()


def test_shape_comes_from_the_last_query_and_pose_from_the_others() -> None:
    torch.manual_seed(2)
    head = HandParameterHead(8, rotations=True)
    queries = torch.randn(1, 17, 8)
    before = head(queries)
    queries[:, -1] += 1.0
    after = head(queries)
    assert after.rotations is not None
    assert before.rotations is not None
    assert torch.equal(before.rotations, after.rotations)
    assert not torch.allclose(before.shape, after.shape)
    assert HandParameterHead(8, rotations=False)(queries[:, -1:]).rotations is None


@torch.no_grad()
def test_object_pose_is_the_mean_of_its_votes() -> None:
    torch.manual_seed(3)
    votes = ObjectPoseHead(8)(torch.randn(2, 6, 8))
    torch.testing.assert_close(votes.rotation, votes.rotation_votes.mean(dim=1))
    torch.testing.assert_close(votes.translation, votes.translation_votes.mean(dim=1))


def test_density_is_loudest_inside_floored_in_beta_and_passes_no_gradient() -> None:
    density = SurfaceDensity()
    sdf = torch.tensor([[[-0.15], [0.0], [0.15]]], requires_grad=True)
    value = density(sdf)
    # sigma(s / beta) / beta as published, with positive distances outside
    expected = torch.sigmoid(sdf.detach() / 0.1) / 0.1
    torch.testing.assert_close(value, expected)
    value.sum().backward()
    assert sdf.grad is None
    assert density.beta.grad is not None
    with torch.no_grad():
        density.beta.fill_(-1.0)
    torch.testing.assert_close(density(torch.zeros(1, 1, 1)), torch.full((1, 1, 1), 0.5 / 0.002))
