"""Targets of a golden file: through what a change in them shows, and which ones cannot show any.

Most targets show through the losses. For HO-3D, whose evaluation split has no hands, the published
code gives losses of the object only, and of joints against zeros. What is left must be judged by
itself: masks are 0 or 1, the wrist is the origin. Nothing else holds among the arrays of our
golden files: their joints neither project to ``target_joint_coord`` nor follow from
``target_mano_param``, and the distances change up to 17 times faster than one moves between the
``probe_points``, where no distance can change faster than once. Such targets are named, so
that nobody takes silence for agreement.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from hoisdf_ros.bench.comparison import Comparison
from hoisdf_ros.bench.golden import Golden
from hoisdf_ros.bench.parity_losses import has_joint_targets
from hoisdf_ros.config import NetworkConfig

NOT_COMPARED = "not compared"

TOLERANCE = 1e-4
"""As a share of the array's largest value."""

_MASKS = ("target_hand_seg", "target_obj_seg")
_JOINTS = "target_joint_cam_no_trans"

_SHOWN_BY = {
    "target_hand_sdf": "loss_sdfhand_loss",
    "target_obj_sdf": "loss_sdfobj_loss",
    "target_joint_coord": "loss_joint_heatmap",
    "target_hand_seg": "loss_hand_seg",
    "target_obj_seg": "loss_obj_seg",
    "target_joint_cam_no_trans": "loss_loss_all_joint_3d",
    "target_mano_param": "loss_shape_param_loss",
    "target_obj_rot": "loss_obj_rot",
    "target_rel_obj_trans": "loss_obj_trans",
}


def compare_targets(golden: Golden, config: NetworkConfig) -> Iterator[Comparison]:
    """Judge the targets that no loss of the file depends on.

    Args:
        golden: The file.
        config: Of the network that the file was made with.
    """
    for name in golden.arrays:
        if not name.startswith("target_") or _shows(name, golden, config):
            continue
        if name in _MASKS:
            yield Comparison("targets", name, off_mask(golden[name]), TOLERANCE, "is 0 or 1")
            continue
        note = "no array of this file depends on it"
        if name == _JOINTS:
            yield Comparison("targets", name, off_wrist(golden[name]), TOLERANCE, "wrist is zero")
            note = f"but for the wrist {note}"
        yield Comparison(NOT_COMPARED, name, 0.0, 0.0, note)


def off_mask(mask: Tensor) -> float:
    """How far the worst pixel of a mask is from both 0 and 1; NaN when one is."""
    return float(torch.minimum(mask.abs(), (mask - 1).abs()).max())


def off_wrist(joints: Tensor) -> float:
    """How far the wrist is from zero, as a share of the farthest coordinate.

    Args:
        joints: (B, 21, 3) relative to the wrist, which comes first.
    """
    largest = joints.abs().max()
    return float(joints[:, 0].abs().max() / torch.where(largest > 0, largest, 1.0))


def _shows(name: str, golden: Golden, config: NetworkConfig) -> bool:
    if name == _JOINTS and not has_joint_targets(config):
        return False  # the loss is there, but of zeros
    return _SHOWN_BY.get(name) in golden
