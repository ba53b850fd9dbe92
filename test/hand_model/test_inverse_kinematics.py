"""Poses from joints: the published arrays, poses that can be known, and reflections."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from hoisdf_ros.conventions import FINGER_BASES, Side
from hoisdf_ros.hand_model.inverse_kinematics import solve_pose
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.poses import sample_poses
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes

MODES: list[Literal["published", "corrected"]] = ["published", "corrected"]


def matrices(vectors: np.ndarray) -> Tensor:  # type: ignore[type-arg]
    return torch.tensor(Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()).reshape(
        -1, 16, 3, 3
    )


@pytest.fixture(scope="module")
def model() -> HandModel:
    return HandModel(load_stand_in(Side.RIGHT)).double()


@pytest.fixture(scope="module")
def template(model: HandModel) -> Tensor:
    eye = torch.eye(3, dtype=torch.float64).expand(1, 16, 3, 3)
    joints: Tensor = model(eye, torch.zeros(1, 10, dtype=torch.float64)).joints
    return joints


def pose_joints(model: HandModel, rotations: Tensor) -> Tensor:
    joints: Tensor = model(rotations, rotations.new_zeros(len(rotations), 10)).joints
    return joints


def test_the_published_pose() -> None:
    """Golden: pose of ``ho3d_render``'s parity arrays, template by their random hand model.

    To replace: pose that hand with ``mano_shape`` and no rotation; target = wrist + 20 joints.
    """
    golden = np.load(Path(__file__).parent / "golden_pose.npz", allow_pickle=False)
    found = solve_pose(
        torch.tensor(golden["template_joints"]), torch.tensor(golden["target_joints"]), "published"
    )
    vectors = Rotation.from_matrix(found[0].double().numpy()).as_rotvec().reshape(1, 48)
    assert np.abs(vectors - golden["pose"]).max() < 1e-4 * np.abs(golden["pose"]).max()


@pytest.mark.parametrize("mode", MODES)
def test_a_hands_own_joints_are_met(
    model: HandModel, template: Tensor, mode: Literal["published", "corrected"]
) -> None:
    vectors = sample_poses(load_stand_in_bend_axes(Side.RIGHT), 20, np.random.default_rng(1))
    vectors[:, 0] = np.random.default_rng(2).normal(size=(20, 3))
    target = pose_joints(model, matrices(vectors)) + 0.3  # away from the origin, all the same
    found = solve_pose(template.expand(20, -1, -1), target, mode)
    assert torch.allclose(found.mT @ found, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(pose_joints(model, found), target - target[:, :1], atol=1e-6)


def test_longer_bones_are_met_in_direction(model: HandModel, template: Tensor) -> None:
    vectors = sample_poses(load_stand_in_bend_axes(Side.RIGHT), 3, np.random.default_rng(3))
    target = pose_joints(model, matrices(vectors))
    found = solve_pose(template.expand(3, -1, -1), 1.5 * target, "corrected")
    tips_off = (pose_joints(model, found) - target)[:, list(FINGER_BASES)].norm(dim=-1)
    assert tips_off.max() < 1e-6  # the palm fits at any scale


def test_a_flat_target_gives_no_rotation_and_an_opposed_bone_half_a_turn(
    template: Tensor,
) -> None:
    found = solve_pose(template, template, "corrected")
    assert torch.allclose(found, torch.eye(3, dtype=torch.float64).expand_as(found), atol=1e-5)
    target = template.clone()
    target[:, 8] = 2 * template[:, 7] - template[:, 8]  # index tip folded back onto its bone
    folded = solve_pose(template, target, "corrected")[0, 3]
    assert folded.isfinite().all()
    bone = template[0, 8] - template[0, 7]
    assert torch.allclose(folded @ bone, -bone, atol=1e-6)
    assert torch.isclose(torch.linalg.det(folded), torch.tensor(1.0, dtype=torch.float64))


def test_a_reflection_gives_up_as_published_or_is_corrected(template: Tensor) -> None:
    mirrored = template * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    # The palm is nearly flat: lift it, so that no rotation fits the mirror image.
    lift = torch.zeros_like(template)
    lift[:, 1, 1], lift[:, 9, 1] = -0.08, 0.05
    both = torch.cat([template, mirrored + lift * torch.tensor([-1.0, 1.0, 1.0])])
    solid = (template + lift).expand(2, -1, -1)
    published = solve_pose(solid, torch.cat([solid[:1], both[1:]]), "published")
    corrected = solve_pose(solid, torch.cat([solid[:1], both[1:]]), "corrected")
    eye = torch.eye(3, dtype=torch.float64)
    assert torch.equal(published[1], eye.expand(16, 3, 3))
    assert torch.allclose(torch.linalg.det(corrected), torch.ones(2, 16, dtype=torch.float64))
    assert not torch.allclose(corrected[1, 0], eye, atol=0.1)
    assert torch.allclose(published[0], corrected[0])  # its neighbour in the batch is not touched
    # The corrected palm is the best proper rotation: no small turn fits the bases better.
    bases = list(FINGER_BASES)
    source, wanted = solid[1, bases], both[1, bases]

    def misfit(rotation: Tensor) -> float:
        return float((source @ rotation.mT - wanted).square().sum())

    best = misfit(corrected[1, 0])
    for seed in range(50):
        vector = np.random.default_rng(seed).normal(scale=0.2, size=3)
        turn = torch.tensor(Rotation.from_rotvec(vector).as_matrix())
        assert misfit(corrected[1, 0] @ turn) > best
