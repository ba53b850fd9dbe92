"""MediaPipe's hand landmark network ("full", 2021) as a torch module.

Inverted residuals (Sandler et al. 2018, without squeeze-and-excitation) regress 21 landmarks from
an upright crop of one hand (Zhang et al. 2020, "MediaPipe Hands", Sec. 2.2).
"""

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from hoisdf_ros.conventions import NUM_JOINTS
from hoisdf_ros.detection.layers import SameConv

LANDMARK_INPUT_SIZE = 224
"""Side of the square crop that the network looks at, pixels."""

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


class LandmarkNetwork(nn.Module):
    """Landmarks, presence and side of the hand in a crop.

    The parts stand in the order in which the published file executes them; its weights are
    loaded in that order.
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
        self.blocks = nn.Sequential(*(InvertedResidual(*block) for block in _BLOCKS))
        self.head = nn.Sequential(
            SameConv(192, 1152),
            nn.ReLU6(inplace=True),
            SameConv(1152, 1152, 3, depthwise=True),
            nn.ReLU6(inplace=True),
        )
        self.right = nn.Linear(1152, 1)
        self.presence = nn.Linear(1152, 1)
        self.pixels = nn.Linear(1152, 3 * NUM_JOINTS)
        self.metres = nn.Linear(1152, 3 * NUM_JOINTS)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Regress the landmarks.

        Args:
            crops: (B, 3, 224, 224) RGB in [0, 1], fingers upwards.

        Returns:
            Landmarks (B, 21, 3) in crop pixels, depth relative to the wrist in the same unit;
            landmarks (B, 21, 3) in metres from the hand's middle, axes of the crop; presence (B,)
            and the probability (B,) that it is a right hand, as the camera sees it, not a mirror.
        """
        pooled = self.head(self.blocks(self.stem(crops))).mean((2, 3))  # (B, 1152)
        return (
            self.pixels(pooled).unflatten(1, (NUM_JOINTS, 3)),
            self.metres(pooled).unflatten(1, (NUM_JOINTS, 3)),
            self.presence(pooled).sigmoid().flatten(),
            self.right(pooled).sigmoid().flatten(),
        )
