"""Writing HO-3D's file: its frame, its joint order, its refusals."""

import json
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.conventions import JOINT_NAMES
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.ho3d_submission import (
    Submission,
    read_submission,
    read_truth,
    to_submission,
    write_submission,
)

RNG = np.random.default_rng(0)
JOINTS = RNG.normal([0.0, 0.0, 0.6], 0.05, (3, 21, 3))
VERTICES = RNG.normal([0.0, 0.0, 0.6], 0.05, (3, 778, 3))

# The challenge's picture of its joints, by the names used here.
MANO_NAMES = [
    "WRIST",
    *(f"{finger}_{part}" for finger in ("INDEX", "MIDDLE", "PINKY", "RING")
      for part in ("MCP", "PIP", "DIP")),
    *("THUMB_CMC", "THUMB_MCP", "THUMB_IP"),
    *(f"{finger}_TIP" for finger in ("THUMB", "INDEX", "MIDDLE", "RING", "PINKY")),
]  # fmt: skip


def test_joints_are_in_manos_order() -> None:
    written = to_submission(JOINTS, VERTICES).joints
    for number, name in enumerate(MANO_NAMES):
        ours = JOINTS[:, JOINT_NAMES.index(name)]
        assert np.allclose(written[:, number], ours * [1, -1, -1]), name


def test_the_frame_is_that_of_opengl() -> None:
    written = to_submission(JOINTS, VERTICES)
    assert np.allclose(written.vertices[..., 0], VERTICES[..., 0])
    assert np.allclose(written.vertices[..., 1:], -VERTICES[..., 1:])


def test_the_file_has_the_official_layout_and_comes_back(tmp_path: Path) -> None:
    submission = to_submission(JOINTS, VERTICES)
    path = tmp_path / "pred.json"
    write_submission(path, submission, frames=3)
    xyz, verts = json.loads(path.read_text())
    assert np.array(xyz).shape == (3, 21, 3)
    assert np.array(verts).shape == (3, 778, 3)
    back = read_submission(path)
    assert np.abs(back.joints - submission.joints).max() <= 0.5e-6 * 1.001
    assert np.abs(back.vertices - submission.vertices).max() <= 0.5e-6 * 1.001
    assert [entry.name for entry in tmp_path.iterdir()] == ["pred.json"]


def test_a_frame_too_few_is_refused_and_the_old_file_kept(tmp_path: Path) -> None:
    path = tmp_path / "pred.json"
    path.write_text("old")
    with pytest.raises(EvaluationError, match="3 predicted frames, expected 11524"):
        write_submission(path, to_submission(JOINTS, VERTICES), frames=11_524)
    assert path.read_text() == "old"


def test_points_of_the_optical_frame_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="frame 0 has z > 0"):
        write_submission(tmp_path / "pred.json", Submission(JOINTS, VERTICES), frames=3)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "pred.json"
    with pytest.raises(EvaluationError, match="nowhere"):
        write_submission(path, to_submission(JOINTS, VERTICES), frames=3)
    with pytest.raises(EvaluationError, match="evaluation_xyz"):
        read_truth(tmp_path)


def test_shapes_counts_and_nan_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"joints of shape \(3, 20, 3\)"):
        to_submission(JOINTS[:, :20], VERTICES)
    with pytest.raises(EvaluationError, match="vertices of shape"):
        to_submission(JOINTS, VERTICES[:2])
    with pytest.raises(EvaluationError, match="N > 0"):
        to_submission(JOINTS[:0], VERTICES[:0])
    broken = JOINTS.copy()
    broken[1, 4] = np.nan
    with pytest.raises(
        EvaluationError, match="joints of 1 frames are not finite, the first is number 1"
    ):
        to_submission(broken, VERTICES)


@pytest.mark.parametrize("text", ["{", "[1]", '{"xyz": 1}', "[[[[1, 2]], [[1]]], []]", "[0, 0]"])
def test_files_of_another_layout_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pred.json"
    path.write_text(text)
    with pytest.raises(EvaluationError):
        read_submission(path)
