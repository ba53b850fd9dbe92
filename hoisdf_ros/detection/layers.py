"""What both networks share: convolutions padded as TensorFlow pads them."""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


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
