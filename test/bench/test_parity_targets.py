"""What a target must be by itself, where no loss shows it."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hoisdf_ros.bench.comparison import Comparison
from hoisdf_ros.bench.golden import Golden
from hoisdf_ros.bench.parity_targets import NOT_COMPARED, compare_targets
from hoisdf_ros.config import preset

MASK = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
JOINTS = torch.tensor([[[0.0, 0.0, 0.0], [10.0, -50.0, 3.0]]])


def judged(preset_name: str, **arrays: Tensor) -> list[Comparison]:
    return list(compare_targets(Golden(arrays, Path("golden.npz")), preset(preset_name)))


@pytest.mark.parametrize("change", [1.01, 0.99, math.nan])
def test_a_mask_is_nought_or_one(change: float) -> None:
    for name in ("target_hand_seg", "target_obj_seg"):
        assert [c.agrees for c in judged("ho3d", **{name: MASK})] == [True]
        assert [c.agrees for c in judged("ho3d", **{name: MASK * change})] == [False]
        assert [c.agrees for c in judged("ho3d", **{name: MASK + 0.01})] == [False]


def test_the_wrist_is_the_origin_and_the_other_joints_are_said_to_be_unseen() -> None:
    wrist, others = judged("ho3d", target_joint_cam_no_trans=JOINTS, loss_loss_all_joint_3d=MASK)
    assert wrist.agrees
    assert wrist.note == "wrist is zero"
    assert others.stage == NOT_COMPARED
    assert others.note == "but for the wrist no array of this file depends on it"
    moved, _ = judged("ho3d", target_joint_cam_no_trans=JOINTS + 0.5)
    assert not moved.agrees


def test_a_target_that_a_loss_shows_needs_no_line() -> None:
    assert not judged("dexycb", target_joint_cam_no_trans=JOINTS, loss_loss_all_joint_3d=MASK)
    assert not judged("dexycb", target_hand_seg=MASK, loss_hand_seg=MASK)
    (unseen,) = judged("dexycb", target_hand_sdf=MASK)
    assert (unseen.stage, unseen.array) == (NOT_COMPARED, "target_hand_sdf")
