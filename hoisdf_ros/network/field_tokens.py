"""Field-guided point features: how near the surface is decides how loud the image speaks.

Sec. 3.2.2 (own points) and 3.2.3 (points of the other field).
"""

import torch
from torch import Tensor, nn

from hoisdf_ros.network.io import FieldPoints
from hoisdf_ros.network.point_features import positional_encoding

BETA_START, BETA_FLOOR = 0.1, 0.002


class SurfaceDensity(nn.Module):
    """Signed distance to volume density, sigmoid(s / beta) / beta, with a learnt beta."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor([BETA_START]))

    def forward(self, sdf: Tensor) -> Tensor:
        """(B, N, 1) clamped distances, which receive no gradient, to (B, N, 1) densities."""
        beta = self.beta.clamp(min=BETA_FLOOR)
        return torch.sigmoid(sdf.detach() / beta) / beta


def tokens(offsets: Tensor, field: FieldPoints, features: Tensor, density: Tensor) -> Tensor:
    """One token a point: where it is, and what it looks like weighted by its density.

    Args:
        offsets: (B, N, 3) from the field's centre, metres.
        field: The points in the field's normalised coordinates.
        features: (B, N, D - 33) image features g.
        density: (B, N, 1) of the field at the points.

    Returns:
        (B, N, D).
    """
    return torch.cat([offsets, positional_encoding(field.points), features * density], dim=-1)
