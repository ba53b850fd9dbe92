"""The image backbone: a residual network without its classifier (supplementary, Sec. 1.1).

Differs for small networks: those can have `mobile_backbone` in its place.
"""

from collections.abc import Iterator

from torch import Tensor, nn

from hoisdf_ros.config import BackboneConfig, MobileBackboneConfig
from hoisdf_ros.network.mobile_backbone import MobileBackbone


def make_backbone(config: BackboneConfig | MobileBackboneConfig) -> nn.Module:
    """The backbone of a preset: image to feature maps of ``config.channels`` channels."""
    return Backbone(config) if isinstance(config, BackboneConfig) else MobileBackbone()


class ResidualBlock(nn.Module):
    """Convolutions with a short cut around them (He et al. 2016).

    Args:
        channels_in: Channels that enter.
        width: Channels of the 3x3 convolution.
        stride: Of the 3x3 convolution (v1.5), and of the short cut.
        bottleneck: 1x1-3x3-1x1 that widens fourfold; else two 3x3.
    """

    def __init__(self, channels_in: int, width: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        channels_out = 4 * width if bottleneck else width
        plan = (
            [(channels_in, width, 1, 1), (width, width, 3, stride), (width, channels_out, 1, 1)]
            if bottleneck
            else [(channels_in, width, 3, stride), (width, channels_out, 3, 1)]
        )
        layers: list[nn.Module] = []
        for fan_in, fan_out, kernel, step in plan:
            layers += [
                nn.Conv2d(fan_in, fan_out, kernel, step, kernel // 2, bias=False),
                nn.BatchNorm2d(fan_out),
                nn.ReLU(inplace=True),
            ]
        self.residual = nn.Sequential(*layers[:-1])  # the last ReLU comes after the sum
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H / stride, W / stride)."""
        out: Tensor = self.relu(self.residual(x) + self.shortcut(x))
        return out


class Backbone(nn.Module):
    """Image to five feature maps."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, config.width, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(config.width),
            nn.ReLU(inplace=True),
        )
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = config.width
        stages = []
        for index, blocks in enumerate(config.blocks):
            width = config.width * 2**index
            stage = [
                ResidualBlock(
                    channels if block == 0 else config.channels[index + 1],
                    width,
                    2 if block == 0 and index > 0 else 1,
                    bottleneck=config.bottleneck,
                )
                for block in range(blocks)
            ]
            channels = config.channels[index + 1]
            stages.append(nn.Sequential(*stage))
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Feature maps at stride 2, 4, 8, 16, 32.

        Args:
            image: (B, 3, S, S) RGB in [0, 1].
        """
        return tuple(self._maps(image))

    def _maps(self, image: Tensor) -> Iterator[Tensor]:
        x = self.stem(image)
        yield x
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
            yield x
