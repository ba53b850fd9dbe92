"""From point features to joints, hand parameters and the object's pose (Sec. 3.2.5, 1.2)."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from hoisdf_ros.network.io import HandParameters, JointVotes, ObjectVotes
from hoisdf_ros.network.layers import MLP

NUM_VOTED_JOINTS = 20


class JointVoteHead(nn.Module):
    """Hand joints as a weighted vote of the hand query points.

    Each point predicts an offset to every joint and a logit for how far to trust it::

        h_j = sum_i softmax_i(v_ij) * (p_i + o_ij)

    HOISDF supplementary, Sec. 1.2 (inference rule) and Eq. 11 (training loss). The softmax runs
    over the points, so the weights of one joint sum to one. The wrist is the origin and is not
    voted for.

    Args:
        dim: Width D of the point features.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.offset = MLP(dim, dim, dim, dim, 3 * NUM_VOTED_JOINTS)
        self.visibility = MLP(dim, dim, dim, NUM_VOTED_JOINTS)

    def forward(self, features: Tensor, points: Tensor) -> JointVotes:
        """Vote for the joints.

        Args:
            features: (B, N, D) enhanced hand point features f_eh.
            points: (B, N, 3) query points p_i, metres from the hand root.
        """
        offsets = self.offset(features).unflatten(-1, (NUM_VOTED_JOINTS, 3))  # (B, N, J, 3)
        votes = points.unsqueeze(2) + offsets
        logits = self.visibility(features)  # (B, N, J)
        weights = logits.softmax(dim=1).unsqueeze(-1)  # over the points
        return JointVotes((weights * votes).sum(dim=1), votes, logits)


def rotation_from_6d(columns: Tensor) -> Tensor:
    """Rotation matrices from their first two columns by Gram-Schmidt (Zhou et al. 2019).

    Args:
        columns: (..., 6), the first column before the second.

    Returns:
        (..., 3, 3).
    """
    first, second = columns[..., :3], columns[..., 3:]
    x = F.normalize(first, dim=-1)
    y = F.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    (x0, x1, x2), (y0, y1, y2) = x.unbind(-1), y.unbind(-1)
    # differs: written out, because TensorRT before 10.16 has no cross product
    z = torch.stack([x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0], dim=-1)
    return torch.stack([x, y, z], dim=-1)


class HandParameterHead(nn.Module):
    """MANO rotations and shape from the hand queries (Eq. 8).

    Args:
        dim: Width D of the queries.
        rotations: Regress the 16 rotations; else only the shape.
    """

    def __init__(self, dim: int, *, rotations: bool) -> None:
        super().__init__()
        self.shape = MLP(dim, dim, dim, 10)
        self.pose = MLP(dim, dim, dim, 6) if rotations else None

    def forward(self, queries: Tensor) -> HandParameters:
        """Read (B, Q, D) queries; the last one is the shape's."""
        shape = self.shape(queries[:, -1])
        if self.pose is None:
            return HandParameters(None, shape)
        return HandParameters(rotation_from_6d(self.pose(queries[:, :-1])), shape)


class ObjectPoseHead(nn.Module):
    """The object's rotation and translation as the mean of the object points' votes.

    Args:
        dim: Width D of the point features.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.rotation = MLP(dim, dim, dim, 3)
        self.translation = MLP(dim, dim, dim, 3)

    def forward(self, features: Tensor) -> ObjectVotes:
        """Vote with (B, N, D) enhanced object point features."""
        rotations, translations = self.rotation(features), self.translation(features)
        return ObjectVotes(rotations.mean(1), translations.mean(1), rotations, translations)
