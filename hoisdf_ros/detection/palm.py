"""MediaPipe's palm detector ("full", 2021) as a torch module.

A single-shot detector (BlazePalm, Zhang et al. 2020, "MediaPipe Hands: On-device Real-time Hand
Tracking", Sec. 2.1): it looks for palms, which are rigid and nearly square, at two scales.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from hoisdf_ros.network.mobile_backbone import SameConv

PALM_INPUT_SIZE = 192
"""Side of the square image that the network looks at, pixels."""

VALUES_PER_ANCHOR = 18
"""Centre and size of the palm's box and seven points of the hand, x before y."""

STRIDES_AND_ANCHORS = ((8, 2), (16, 6))
"""Pixels from cell to cell, and anchors of each cell, of the two maps that are predicted."""


class BlazeBlock(nn.Module):
    """Depthwise 5x5 and pointwise convolution beside a shortcut, then PReLU.

    Args:
        channels_in, channels_out: At least as many out as in; the shortcut is filled up with 0.
        stride: 1, or 2 to halve the size.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = SameConv(channels_in, channels_in, 5, stride, depthwise=True)
        self.pointwise = SameConv(channels_in, channels_out)
        self.activation = nn.PReLU(channels_out)
        self.halve = stride == 2
        self.more = channels_out - channels_in

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H / stride, W / stride)."""
        shortcut = F.max_pool2d(x, 2) if self.halve else x
        if self.more:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.more))
        result: Tensor = self.activation(shortcut + self.pointwise(self.depthwise(x)))
        return result


class Enlarge(nn.Module):
    """Twice the size by bilinear interpolation, a pointwise convolution, and a skip added.

    Args:
        channels_in, channels_out: Before and after the convolution.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.pointwise = SameConv(channels_in, channels_out)
        self.activation = nn.PReLU(channels_out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(B, channels_in, H, W) and the skip (B, channels_out, 2 H, 2 W) to the latter's shape."""
        # differs: convolved before the interpolation, which is the same and a quarter of the work
        larger = F.interpolate(
            self.pointwise(x), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        result: Tensor = skip + self.activation(larger)
        return result


class PalmNetwork(nn.Module):
    """Palms at the anchors of two maps, one of stride 8 and one of stride 16.

    The parts stand in the order in which the published file executes them; its weights are
    loaded in that order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(SameConv(3, 32, 5, 2), nn.PReLU(32))
        self.stride2 = _stage(32, 32, blocks=4, stride=1)
        self.stride4 = _stage(32, 64, blocks=5)
        self.stride8 = _stage(64, 128, blocks=5)
        self.stride16 = _stage(128, 256, blocks=5)
        self.stride32 = _stage(256, 256, blocks=5)
        self.enlarge16 = Enlarge(256, 256)
        self.merged16 = _stage(256, 256, blocks=2, stride=1)
        self.scores16 = SameConv(256, STRIDES_AND_ANCHORS[1][1])
        self.values16 = SameConv(256, STRIDES_AND_ANCHORS[1][1] * VALUES_PER_ANCHOR)
        self.enlarge8 = Enlarge(256, 128)
        self.merged8 = _stage(128, 128, blocks=2, stride=1)
        self.scores8 = SameConv(128, STRIDES_AND_ANCHORS[0][1])
        self.values8 = SameConv(128, STRIDES_AND_ANCHORS[0][1] * VALUES_PER_ANCHOR)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Look for palms.

        Args:
            images: (B, 3, 192, 192) RGB in [0, 1].

        Returns:
            Values (B, 2016, 18) of every anchor in input pixels from the anchor's centre (see
            `VALUES_PER_ANCHOR`; sizes absolute), and the logits (B, 2016) of there being a palm.
        """
        fine = self.stride8(self.stride4(self.stride2(self.stem(images))))  # (B, 128, 24, 24)
        middle = self.stride16(fine)  # (B, 256, 12, 12)
        middle16 = self.merged16(self.enlarge16(self.stride32(middle), middle))
        fine8 = self.merged8(self.enlarge8(middle16, fine))
        values = (_rows(self.values8(fine8)), _rows(self.values16(middle16)))
        scores = (_rows(self.scores8(fine8)), _rows(self.scores16(middle16)))
        return (
            torch.cat(values, dim=1).reshape(images.shape[0], -1, VALUES_PER_ANCHOR),
            torch.cat(scores, dim=1),
        )


def _stage(channels_in: int, channels_out: int, *, blocks: int, stride: int = 2) -> nn.Sequential:
    first = BlazeBlock(channels_in, channels_out, stride)
    rest = (BlazeBlock(channels_out, channels_out) for _ in range(blocks - 1))
    return nn.Sequential(first, *rest)


def _rows(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, H W C), pixel by pixel."""
    return x.permute(0, 2, 3, 1).flatten(1)
