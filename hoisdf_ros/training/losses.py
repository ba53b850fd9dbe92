"""The terms of the training loss (Eq. 10 and 11), unweighted, each a mean over the batch.

`WEIGHTS` holds their weights in the total. Distances of joints are compared in millimetres, as
the weights expect. B batch, N points, J joints; arguments named ``target`` have the prediction's
shape.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from hoisdf_ros.hand_model.mano import HandGeometry
from hoisdf_ros.network.io import HandParameters, JointVotes, ObjectVotes

MM = 1000.0

WEIGHTS = {
    "hand_sdf": 50.0,
    "object_sdf": 25.0,
    "heatmap": 1e-3,
    "hand_mask": 1.0,
    "object_mask": 1.0,
    "joint_votes": 0.1,
    "joint_visibility": 1.0,
    "joints": 0.1,
    "vertices": 1e4,
    "mano_joints": 1e4,
    "rotations": 10.0,
    "shape": 0.1,
    "shape_prior": 1e-6,
    "object_rotation": 0.7,
    "object_translation": 100.0,
}
"""Weight of each term in the total."""


def sdf(distances: Tensor, target: Tensor, clamp: float) -> Tensor:
    """Mean of |s - clamp(s*)| over (B, N, 1) clamped distances, normalised units (Sec. 3.1)."""
    return F.l1_loss(distances, target.clamp(-clamp, clamp))


def heatmap(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of (H - H*)^2 over (B, 1, H, W), Eq. 10."""
    return F.mse_loss(prediction, target)


def mask(probability: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy of (B, 1, H, W) probabilities, Eq. 10."""
    return F.binary_cross_entropy(probability, target)


def joint_votes(layers: list[JointVotes], joints: Tensor, visible: Tensor) -> Tensor:
    """First term of Eq. 11: SmoothL1(p + o, h*) of the pairs (point, joint) that are visible.

    Summed over the pairs, divided by their number; mean over layers and coordinates. A batch
    without a visible pair has no such term and gives NaN, as published.

    Args:
        layers: Votes (B, N, J, 3) of every layer, metres from the hand root.
        joints: (B, J, 3) metres from the hand root.
        visible: (B, N, J) of 0 and 1.
    """
    target = MM * joints.unsqueeze(1)
    terms = []
    for layer in layers:
        error = F.smooth_l1_loss(MM * layer.votes, target.expand_as(layer.votes), reduction="none")
        terms.append(((error * visible.unsqueeze(-1)).sum((0, 1, 2)) / visible.sum()).mean())
    return torch.stack(terms).mean()


def joint_visibility(layers: list[JointVotes], visible: Tensor) -> Tensor:
    """Second term of Eq. 11: cross-entropy of the (B, N, J) logits."""
    terms = [F.binary_cross_entropy_with_logits(layer.logits, visible) for layer in layers]
    return torch.stack(terms).mean()


def joints(layers: list[JointVotes], target: Tensor) -> Tensor:
    """SmoothL1 of the aggregated joints (B, J, 3), millimetres."""
    terms = [F.smooth_l1_loss(MM * layer.joints, MM * target) for layer in layers]
    return torch.stack(terms).mean()


def vertices(layers: list[HandGeometry], target: HandGeometry) -> Tensor:
    """Mean of |V - V*|^2 per coordinate over (B, 778, 3), square metres."""
    return torch.stack([F.mse_loss(hand.vertices, target.vertices) for hand in layers]).mean()


def mano_joints(layers: list[HandGeometry], target: HandGeometry) -> Tensor:
    """Mean of |J - J*|^2 per coordinate over the hand model's (B, 21, 3), square metres."""
    return torch.stack([F.mse_loss(hand.joints, target.joints) for hand in layers]).mean()


def rotations(layers: list[HandParameters], target: Tensor) -> Tensor:
    """Mean of |R - R*|^2 per entry over (B, 16, 3, 3)."""
    predicted = [hand.rotations for hand in layers if hand.rotations is not None]
    return torch.stack([F.mse_loss(rotation, target) for rotation in predicted]).mean()


def shape(layers: list[HandParameters], target: Tensor) -> Tensor:
    """Mean of (beta - beta*)^2 over (B, 10)."""
    return torch.stack([F.mse_loss(hand.shape, target) for hand in layers]).mean()


def shape_prior(layers: list[HandParameters]) -> Tensor:
    """Mean of beta^2 over (B, 10), where only the shape is regressed."""
    return torch.stack([hand.shape.square().mean() for hand in layers]).mean()


def object_rotation(layers: list[ObjectVotes], target: Tensor) -> Tensor:
    """SmoothL1 of every point's rotation vector against the (B, 3) true one, radians."""
    terms = [F.smooth_l1_loss(x.rotation_votes, _each_point(target, x)) for x in layers]
    return torch.stack(terms).mean()


def object_translation(layers: list[ObjectVotes], target: Tensor) -> Tensor:
    """SmoothL1 of every point's translation against the (B, 3) true one, metres."""
    terms = [F.smooth_l1_loss(x.translation_votes, _each_point(target, x)) for x in layers]
    return torch.stack(terms).mean()


def _each_point(target: Tensor, votes: ObjectVotes) -> Tensor:
    return target.unsqueeze(1).expand_as(votes.rotation_votes)
