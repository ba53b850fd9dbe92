"""What the image says at a 3D point: pixel-aligned features and positional encoding (Sec. 3.1)."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

FREQUENCIES = (1.0, 2.0, 4.0, 8.0, 16.0)
ENCODING_WIDTH = 6 * len(FREQUENCIES)

_NEAREST_M = 1e-6
"""Points nearer to the image plane than this, or behind it, have no pixel."""


def positional_encoding(points: Tensor) -> Tensor:
    """Sine and cosine of the coordinates at five frequencies.

    Args:
        points: (B, N, 3) normalised coordinates.

    Returns:
        (B, N, 30): for each frequency f, sin(f p) then cos(f p).
    """
    parts = [wave(f * points) for f in FREQUENCIES for wave in (torch.sin, torch.cos)]
    return torch.cat(parts, dim=-1)


def project(points: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels of camera points.

    Args:
        points: (B, N, 3) camera frame, metres.
        intrinsics: (B, 3, 3) K, pixels.

    Returns:
        (B, N, 2) pixels, and (B, N) bool: in front of the camera. Pixels of points that are not
        mean nothing.
    """
    homogeneous = points @ intrinsics.transpose(1, 2)
    depth = homogeneous[..., 2:]
    visible = depth > _NEAREST_M
    pixels = homogeneous[..., :2] / torch.where(visible, depth, torch.ones_like(depth))
    return pixels, visible.squeeze(-1)


def pixel_grid(pixels: Tensor, image_size: int) -> Tensor:
    """Pixels (B, N, 2) of a crop with a side of ``image_size``, from -1 to 1 inside it."""
    half = (image_size - 1) / 2
    return (pixels - half) / half


def sample_pyramid(pyramid: tuple[Tensor, ...], pixels: Tensor, image_size: int) -> Tensor:
    """Bilinear look-up of every level at the same place, border values outside.

    Args:
        pyramid: Maps (B, C_l, H_l, W_l) of the crop, finest first.
        pixels: (B, N, 2) crop pixels.
        image_size: Side of the crop, pixels.

    Returns:
        (B, N, sum of C_l), in the order of the pyramid.
    """
    grid = pixel_grid(pixels, image_size).unsqueeze(2)  # (B, N, 1, 2)
    levels = [
        F.grid_sample(level, grid, mode="bilinear", padding_mode="border", align_corners=True)
        for level in pyramid
    ]
    return torch.cat(levels, dim=1).squeeze(-1).transpose(1, 2)
