"""A signed distance field around the hand root or the object centre (Sec. 3.1)."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from hoisdf_ros.network.layers import rectified
from hoisdf_ros.network.point_features import ENCODING_WIDTH, positional_encoding


class FieldDecoder(nn.Module):
    """Signed distance from a point's image feature and position; after DeepSDF (Park et al. 2019).

    Five linear layers, weight-normalised but for the last; the input joins again before the
    third.

    Args:
        feature_width: Width of the image feature.
        width: Hidden width.
        dropout: Share of hidden channels dropped in training.
    """

    def __init__(self, feature_width: int, width: int, dropout: float = 0.2) -> None:
        super().__init__()
        entry = feature_width + ENCODING_WIDTH + 3
        self.layers = nn.ModuleList(
            weight_norm(rectified(nn.Linear(a, b)))
            for a, b in ((entry, width), (width, width - entry), (width, width), (width, width))
        )
        self.output = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, points: Tensor) -> Tensor:
        """Distance to the surface, negative inside.

        Args:
            features: (B, N, F) image features at the points.
            points: (B, N, 3) normalised coordinates.

        Returns:
            (B, N, 1) in (-1, 1), normalised units, not clamped.
        """
        entry = torch.cat([features, positional_encoding(points), points], dim=-1)
        x = entry
        for index, layer in enumerate(self.layers):
            if index == 2:
                x = torch.cat([x, entry], dim=-1)
            x = self.dropout(F.relu(layer(x)))
        return torch.tanh(self.output(x))
