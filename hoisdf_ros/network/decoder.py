"""The U-shaped decoder: a multiscale pyramid, the joint heatmap and the two masks (Sec. 1.1)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from hoisdf_ros.config import DecoderConfig
from hoisdf_ros.network.io import ImageFeatures
from hoisdf_ros.network.layers import conv_block, upsampling_block


def map_head(widths: tuple[int, ...]) -> nn.Sequential:
    """1x1 convolutions to one channel, batch norm and ReLU between and neither at the end."""
    hidden = [layer for a, b in pairwise(widths) for layer in conv_block(a, b, 1)]
    return nn.Sequential(*hidden, nn.Conv2d(widths[-1], 1, 1))


class Decoder(nn.Module):
    """Backbone maps to pyramid and maps.

    Args:
        skips: Backbone channels at stride 2, 4, 8, 16, 32.
        config: Widths.
    """

    def __init__(self, skips: tuple[int, ...], config: DecoderConfig) -> None:
        super().__init__()
        widths = config.widths
        self.heatmap_scale = config.heatmap_scale

        def skip(level: int) -> nn.Module:
            if not config.project_skips:
                return nn.Identity()
            return conv_block(skips[level], widths[level], 1)

        self.skips = nn.ModuleList(skip(level) for level in range(5))
        self.ups, self.joins = nn.ModuleList(), nn.ModuleList()
        for level in range(4):  # from stride 2 to stride 16
            below = skips[4] if level == 3 else widths[level + 1]
            joined = widths[level] if config.project_skips else skips[level]
            self.ups.append(upsampling_block(below, config.up_widths[level]))
            self.joins.append(conv_block(joined + config.up_widths[level], widths[level], 3))
        self.heatmap, self.hand_mask, self.object_mask = (
            map_head((widths[0], *config.head_widths)) for _ in range(3)
        )

    def forward(self, maps: tuple[Tensor, ...]) -> ImageFeatures:
        """Join the maps from coarse to fine.

        Args:
            maps: The backbone's (B, C_l, S/l, S/l) at stride l = 2, 4, 8, 16, 32.
        """
        pyramid = [self.skips[4](maps[4])]
        below = maps[4]  # kept: stride 16 grows from the backbone's map, not from pyramid[0]
        for level in (3, 2, 1, 0):
            joined = torch.cat([self.skips[level](maps[level]), self.ups[level](below)], dim=1)
            below = self.joins[level](joined)
            pyramid.insert(0, below)
        finest = pyramid[0]
        return ImageFeatures(
            tuple(pyramid),
            self.heatmap_scale * self.heatmap(finest),
            self.hand_mask(finest).sigmoid(),
            self.object_mask(finest).sigmoid(),
        )
