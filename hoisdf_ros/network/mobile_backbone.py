"""The small image backbone: the trunk of MediaPipe's hand landmark network ("full", 2021).

Inverted residuals (Sandler et al. 2018, without squeeze-and-excitation). The hand detector
(`detection.landmarks`) runs the same trunk, whose weights have seen many real hands and are free
to pass on (Apache-2.0): a network that is trained on rendered pictures can start from them.
"""

from collections.abc import Iterator

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

_BLOCKS = (  # channels in, channels inside, channels out, kernel, stride
    (16, 64, 24, 3, 2),
    (24, 144, 24, 3, 1),
    (24, 144, 40, 5, 2),
    (40, 240, 40, 5, 1),
    (40, 240, 80, 3, 2),
    (80, 480, 80, 3, 1),
    (80, 480, 80, 3, 1),
    (80, 480, 112, 5, 1),
    (112, 672, 112, 5, 1),
    (112, 672, 112, 5, 1),
    (112, 672, 192, 5, 2),
    (192, 1152, 192, 5, 1),
    (192, 1152, 192, 5, 1),
    (192, 1152, 192, 5, 1),
)

_ENDS = (1, 3, 9, 13)
"""The last block at stride 4, 8, 16, 32."""


class SameConv(nn.Conv2d):
    """A convolution with TensorFlow's padding SAME: at stride 2 one pixel less before than after.

    Args:
        channels_in, channels_out: Channels; the smaller must divide the larger for a depthwise one.
        kernel: Side of the kernel, odd.
        stride: 1, or 2 for images of even size.
        depthwise: One kernel a channel.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        depthwise: bool = False,
    ) -> None:
        reach = kernel // 2
        groups = channels_in if depthwise else 1
        super().__init__(
            channels_in,
            channels_out,
            kernel,
            stride=stride,
            padding=reach if stride == 1 else 0,
            groups=groups,
        )
        before, after = (reach - 1, reach) if stride == 2 else (0, 0)
        self.border = (before, after, before, after)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H / stride, W / stride)."""
        return super().forward(F.pad(x, self.border) if any(self.border) else x)


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow; with a shortcut where the shape stays.

    Args:
        channels_in, channels_inside, channels_out: Widths.
        kernel, stride: Of the depthwise convolution.
    """

    def __init__(
        self, channels_in: int, channels_inside: int, channels_out: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        self.widen = SameConv(channels_in, channels_inside)
        self.depthwise = SameConv(channels_inside, channels_inside, kernel, stride, depthwise=True)
        self.narrow = SameConv(channels_inside, channels_out)
        self.shortcut = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H / stride, W / stride)."""
        y: Tensor = self.narrow(_relu6(self.depthwise(_relu6(self.widen(x)))))
        return x + y if self.shortcut else y


def _relu6(x: Tensor) -> Tensor:
    return F.relu6(x, inplace=True)  # measured: in place is faster


class MobileBackbone(nn.Module):
    """Image to five feature maps.

    The parts stand in the order in which they are executed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            SameConv(3, 24, 3, 2),
            nn.ReLU6(inplace=True),
            SameConv(24, 24, 3, depthwise=True),
            nn.ReLU6(inplace=True),
            SameConv(24, 16),
        )
        self.blocks = nn.ModuleList(InvertedResidual(*block) for block in _BLOCKS)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Feature maps at stride 2, 4, 8, 16, 32, of 16, 24, 40, 112, 192 channels.

        Args:
            image: (B, 3, S, S) RGB in [0, 1].
        """
        return tuple(self._maps(image))

    def _maps(self, image: Tensor) -> Iterator[Tensor]:
        x = self.stem(image)
        yield x
        for place, block in enumerate(self.blocks):
            x = block(x)
            if place in _ENDS:
                yield x
