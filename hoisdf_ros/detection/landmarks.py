"""MediaPipe's hand landmark network ("full", 2021) as a torch module.

It regresses 21 landmarks from an upright crop of one hand (Zhang et al. 2020, "MediaPipe Hands",
Sec. 2.2). Its trunk is the small backbone of ours, `network.mobile_backbone`.
"""

from torch import Tensor, nn

from hoisdf_ros.conventions import NUM_JOINTS
from hoisdf_ros.network.mobile_backbone import MobileBackbone, SameConv

LANDMARK_INPUT_SIZE = 224
"""Side of the square crop that the network looks at, pixels."""


class LandmarkNetwork(nn.Module):
    """Landmarks, presence and side of the hand in a crop.

    The parts stand in the order in which the published file executes them; its weights are
    loaded in that order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = MobileBackbone()
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
        pooled = self.head(self.trunk(crops)[-1]).mean((2, 3))  # (B, 1152)
        return (
            self.pixels(pooled).unflatten(1, (NUM_JOINTS, 3)),
            self.metres(pooled).unflatten(1, (NUM_JOINTS, 3)),
            self.presence(pooled).sigmoid().flatten(),
            self.right(pooled).sigmoid().flatten(),
        )
