"""What the network is asked to predict, made from ground truth."""

import torch
from torch import Tensor

HEATMAP_SIGMA_PX = 1.25
HEATMAP_PEAK = 255.0
VISIBLE_WITHIN_M = 0.04


def joint_heatmap(joints: Tensor, size: int) -> Tensor:
    """Sum of one Gaussian a joint in a single channel (supplementary, Sec. 1.1).

    Args:
        joints: (B, J, 2) pixels of the heatmap, x before y.
        size: Side of the heatmap, pixels.

    Returns:
        (B, 1, size, size); a lone joint peaks at 255.
    """
    axis = torch.arange(size, device=joints.device, dtype=joints.dtype)
    x, y = (
        torch.exp(-((axis - joints[..., i : i + 1]) ** 2) / (2 * HEATMAP_SIGMA_PX**2))
        for i in (0, 1)
    )  # (B, J, size) each
    return HEATMAP_PEAK * torch.einsum("bjh,bjw->bhw", y, x).unsqueeze(1)


def joint_visibility(points: Tensor, joints: Tensor) -> Tensor:
    """Which query points are near which joints, the v* of Eq. 11.

    Args:
        points: (B, N, 3) hand query points, metres from the hand root.
        joints: (B, J, 3) metres from the hand root.

    Returns:
        (B, N, J) of 0 and 1: the point lies within 4 cm of the joint.
    """
    offsets = points.unsqueeze(2) - joints.unsqueeze(1)  # (B, N, J, 3)
    visible: Tensor = torch.linalg.vector_norm(offsets, dim=-1) < VISIBLE_WITHIN_M
    return visible.to(points.dtype)
