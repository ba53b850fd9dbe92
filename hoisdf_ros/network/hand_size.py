"""How large a hand looks, told from all that the image features say of it.

Beyond the paper, whose wrist is given: without depth, size is all that tells how far a hand is.
Palm, joints and outline tell it by rules; this one has seen many hands.

Axes: B batch, C channels.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from hoisdf_ros.network.io import ImageFeatures

_SHAPE = 7  # numbers of the masks' and the heatmap's shape
_HIDDEN, _DROPOUT = (128, 64), 0.2
_FARTHEST = 5.0  # standard deviations from the middle that an input may be


class HandSize(nn.Module):
    """How many pixels of the crop a metre covers where the wrist is.

    Args:
        channels: Of the pyramid's levels.
    """

    middle: Tensor
    spread: Tensor
    usual: Tensor

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        width = 2 * sum(channels) + _SHAPE
        self.register_buffer("middle", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.register_buffer("usual", torch.zeros(()))
        first, second = _HIDDEN
        self.layers = nn.Sequential(
            nn.Linear(width, first),
            nn.ReLU(),
            nn.Dropout(_DROPOUT),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Linear(second, 1),
        )

    def forward(self, seen: Tensor) -> Tensor:
        """(B,) natural logarithm of pixels a metre, from `summary`."""
        even = ((seen - self.middle) / self.spread).clamp(-_FARTHEST, _FARTHEST)
        said: Tensor = self.usual + self.layers(even).squeeze(-1)
        return said


def summary(features: ImageFeatures) -> Tensor:
    """What `HandSize` looks at.

    Returns:
        (B, 2 sum(C) + 7): of each level the mean over the hand and over the crop; then of the
        hand's mask the logarithm of its area, its middle, and the logarithms of its width in all
        directions and of how much these differ; of the object's that of its area; and the sum of
        the heatmap.
    """
    mask = features.hand_mask.float()
    parts = []
    for level in (level.float() for level in features.pyramid):
        weight = F.interpolate(mask, size=level.shape[2:], mode="area")
        covered = weight.sum(dim=(2, 3)) + 1e-3
        parts += [(level * weight).sum(dim=(2, 3)) / covered, level.mean(dim=(2, 3))]
    thing = (features.object_mask.float().sum(dim=(1, 2, 3)) + 1).log()
    heat = features.heatmap.float().clamp(min=0).sum(dim=(1, 2, 3)) / 255
    return torch.cat([*parts, _shape(mask[:, 0]), torch.stack([thing, heat], dim=1)], dim=1)


def _shape(mask: Tensor) -> Tensor:
    """(B, 5) of masks (B, S, S): area, middle, and both invariants of the second moments."""
    axis = torch.linspace(-1, 1, mask.shape[-1], device=mask.device)
    area = mask.sum(dim=(1, 2)) + 1e-3

    def mean(values: Tensor) -> Tensor:
        return (mask * values).sum(dim=(1, 2)) / area

    middle_x, middle_y = mean(axis), mean(axis[:, None])
    x, y = (axis - middle_x[:, None, None]), (axis[:, None] - middle_y[:, None, None])
    xx, yy, xy = mean(x * x), mean(y * y), mean(x * y)
    moments = torch.stack([xx + yy, ((xx - yy) ** 2 + 4 * xy**2).sqrt()], dim=1)
    place = torch.stack([area.log(), middle_x, middle_y], dim=1)
    return torch.cat([place, moments.clamp(min=1e-6).log()], dim=1)
