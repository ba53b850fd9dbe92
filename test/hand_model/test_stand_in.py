"""The packaged hand is a hand, is small, and holds nothing but numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import Side
from hoisdf_ros.errors import HandModelError
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.poses import sample_poses
from hoisdf_ros.hand_model.stand_in import (
    load_right_hand,
    load_stand_in,
    load_stand_in_bend_axes,
    stand_in_path,
)


def test_the_file_is_small_and_plain() -> None:
    assert stand_in_path().stat().st_size <= 150 * 1024
    with np.load(stand_in_path(), allow_pickle=False) as stored:
        assert all(stored[name].dtype.kind in "fiu" for name in stored.files)


def test_it_has_the_size_of_a_hand_and_open_edges_at_the_wrist_only() -> None:
    hand = load_stand_in(Side.RIGHT)
    length = np.linalg.norm(hand.v_template[hand.tips[2]])
    assert 0.17 < length < 0.21
    edges = np.sort(np.concatenate([hand.faces[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    assert count.max() == 2
    rim = np.unique(unique[count == 1])
    assert len(rim) == 16
    assert np.abs(hand.v_template[rim, 0]).max() < 0.03
    assert len(np.unique(hand.faces)) == 778


def test_the_left_hand_is_the_right_one_mirrored() -> None:
    right, left = load_stand_in(Side.RIGHT), load_stand_in(Side.LEFT)
    assert left.side is Side.LEFT
    assert np.array_equal(left.v_template, right.v_template * [-1, 1, 1])
    with pytest.raises(HandModelError, match="UNKNOWN"):
        load_stand_in(Side.UNKNOWN)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_bending_about_the_axes_closes_the_hand(side: Side) -> None:
    axes = load_stand_in_bend_axes(side)
    assert np.array_equal(axes[0], np.zeros(3))
    assert np.allclose(np.linalg.norm(axes[1:], axis=1), 1)
    angles = np.linspace(0, np.radians(70), 5)
    poses = Rotation.from_rotvec((angles[:, None, None] * axes).reshape(-1, 3)).as_matrix()
    rotations = torch.tensor(poses, dtype=torch.float32).reshape(5, 16, 3, 3)
    joints = HandModel(load_stand_in(side))(rotations, torch.zeros(5, 10)).joints
    reach = joints[:, [8, 12, 16, 20]].norm(dim=-1)
    assert (reach.diff(dim=0) < -0.005).all()
    assert (joints[2:, [8, 12, 16, 20], 1] < -0.02).all()  # towards the palm, -y


def test_sampled_poses_run_from_flat_to_fist() -> None:
    axes = load_stand_in_bend_axes(Side.RIGHT)
    poses = sample_poses(axes, 500, np.random.default_rng(0))
    assert poses.shape == (500, 16, 3)
    assert np.array_equal(poses[:, 0], np.zeros((500, 3)))
    bend = np.degrees((poses * axes).sum(axis=-1))
    knuckles = bend[:, [2, 5, 8, 11]]  # middle joints
    assert knuckles.min() >= 0
    assert knuckles.max() <= 105.001
    assert knuckles.mean(axis=1).min() < 15
    assert knuckles.mean(axis=1).max() > 80
    same = sample_poses(axes, 500, np.random.default_rng(0))
    assert np.array_equal(poses, same)


def test_a_folder_of_the_users_is_taken_or_refused(tmp_path: Path) -> None:
    assert load_right_hand("").side is Side.RIGHT
    with pytest.raises(HandModelError, match=r"neither MANO_RIGHT\.pkl nor MANO_RIGHT\.npz"):
        load_right_hand(str(tmp_path))
    with np.load(stand_in_path()) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["v_template"] = arrays["v_template"] * np.float32(1.01)
    np.savez(tmp_path / "MANO_RIGHT.npz", **arrays)
    own = load_right_hand(str(tmp_path))
    assert np.allclose(own.v_template, arrays["v_template"])
