"""The local scorer on a small truth made here, with scores known by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation import ho3d_scorer
from hoisdf_ros.evaluation.ho3d_scorer import main, official_text, score, self_check, zeros
from hoisdf_ros.evaluation.ho3d_submission import Submission, write_submission

RNG = np.random.default_rng(0)
TRUTH = Submission(
    RNG.normal([0.0, 0.0, -0.6], 0.04, (2, 21, 3)),
    RNG.normal([0.0, 0.0, -0.6], 0.04, (2, 778, 3)),
)
TO_CAMERA = np.linalg.norm(TRUTH.joints, axis=2).mean()


def write_truth(folder: Path, truth: Submission = TRUTH) -> Path:
    (folder / "evaluation_xyz.json").write_text(json.dumps(truth.joints.tolist()))
    (folder / "evaluation_verts.json").write_text(json.dumps(truth.vertices.tolist()))
    return folder


def test_the_truth_scores_full_marks() -> None:
    found = score(TRUTH, TRUTH)
    assert (found.mje, found.mesh, found.stmje) == pytest.approx((0, 0, 0), abs=1e-9)
    assert (found.pa_mje, found.pa_mesh) == pytest.approx((0, 0), abs=1e-7)
    assert (found.f5, found.pa_f5, found.f15, found.pa_f15) == (1, 1, 1, 1)
    assert (found.mje_auc, found.mesh_auc) == (1, 1)


def test_one_frame_shifted_by_two_centimetres() -> None:
    shift = np.array([[[0.02, 0, 0]], [[0, 0, 0]]])
    found = score(Submission(TRUTH.joints + shift, TRUTH.vertices + shift), TRUTH)
    assert (found.mje, found.mesh) == pytest.approx((0.01, 0.01))
    # 2 cm lies between thresholds 39 and 40 of 99: 59.5 of 99 intervals in that frame
    assert found.mesh_auc == pytest.approx((1 + 59.5 / 99) / 2)
    assert (found.stmje, found.pa_mje, found.pa_mesh) == pytest.approx((0, 0, 0), abs=1e-7)


def test_joints_and_vertices_are_aligned_each_on_their_own() -> None:
    turn = Rotation.from_rotvec([0.5, 0, 0]).as_matrix()
    found = score(Submission(TRUTH.joints @ turn, 2 * TRUTH.vertices * [-1, 1, 1]), TRUTH)
    assert (found.pa_mje, found.pa_mesh) == pytest.approx((0, 0), abs=1e-7)
    assert found.stmje > 0.005


def test_stmje_scales_by_joint_4_of_the_files() -> None:
    joints = TRUTH.joints.copy()
    joints[:, 16] *= 1.5  # the thumb's tip, joint 4 of the other order
    others = np.delete(np.arange(21), 16)
    expected = np.linalg.norm(joints[:, 16] - TRUTH.joints[:, 16], axis=1).mean() / 21
    assert np.allclose(joints[:, others], TRUTH.joints[:, others])
    assert score(Submission(joints, TRUTH.vertices), TRUTH).stmje == pytest.approx(expected)
    joints = TRUTH.joints.copy()
    joints[:, 4] += 0.05
    assert score(Submission(joints, TRUTH.vertices), TRUTH).stmje > 0.05 / 21


def test_zeros_score_the_distance_and_the_spread_of_the_hand() -> None:
    found = score(zeros(2), TRUTH)
    assert found.mje == pytest.approx(TO_CAMERA)
    spread = TRUTH.joints - TRUTH.joints.mean(axis=1, keepdims=True)
    assert found.pa_mje == pytest.approx(np.linalg.norm(spread, axis=2).mean())
    wrist = TRUTH.joints - TRUTH.joints[:, :1]
    assert found.stmje == pytest.approx(np.linalg.norm(wrist, axis=2).mean())
    assert (found.mje_auc, found.f5, found.f15) == (0, 0, 0)


def ring(count: int, mean_distance: float, radius: Array) -> Array:
    """Points around the camera's axis at radii (count,), about so far from the camera."""
    angle = 2 * np.pi * np.arange(count) / count
    z = np.full(count, -np.sqrt(mean_distance**2 - radius.mean() ** 2))
    points: Array = np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)
    return points


def like_published() -> Submission:
    """Three frames for which zeros score what HO-3D's README prints.

    Aligned zeros all lie at the centre, so PA errors are mean radii, and F@15 is 2 s / (1 + s)
    where s is the share of vertices within 15 mm of the centre: 6, 6 and 8 of 778.
    """
    joints = ring(21, 0.5687, np.full(21, 0.0519))
    meshes = []
    for near in (6, 6, 8):
        radius = np.full(778, (778 * 0.0547 - near * 0.014) / (778 - near))
        chosen = np.arange(near // 2)
        radius[chosen] = radius[chosen + 389] = 0.014  # opposite ones, the centre stays
        meshes.append(ring(778, 0.5712, radius))
    return Submission(np.stack([joints] * 3), np.stack(meshes))


def test_self_check_passes_with_the_published_scores_only() -> None:
    assert self_check(like_published()) == []
    moved = like_published()
    differences = self_check(Submission(moved.joints * 1.01, moved.vertices))
    assert [line.split(":")[0] for line in differences] == ["mje", "pa_mje"]
    assert "published 0.5687" in differences[0]


def test_another_number_of_frames_is_refused() -> None:
    with pytest.raises(EvaluationError, match="3 predicted frames, 2 true"):
        score(zeros(3), TRUTH)


def test_the_official_text_has_its_names_and_centimetres() -> None:
    lines = official_text(score(zeros(2), TRUTH)).splitlines()
    assert len(lines) == 14
    name, value = lines[0].split(": ")
    assert name == "xyz_mean3d"
    assert float(value) == pytest.approx(100 * TO_CAMERA, abs=1e-5)
    assert lines[-1].startswith("f_al_score_15: 0.")


def test_command_scores_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_submission(tmp_path / "pred.json", TRUTH, frames=2)
    folder = write_truth(tmp_path)
    assert main([str(folder), "--predictions", str(tmp_path / "pred.json")]) == 0
    assert "f_score_5: 1.000000\n" in capsys.readouterr().out


def test_command_checks_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_truth(tmp_path)
    assert main([str(folder), "--self-check"]) == 1
    assert "published 0.5712" in capsys.readouterr().out
    monkeypatch.setattr(ho3d_scorer, "PUBLISHED_ZEROS", {"f5": (0.0, 0.05)})
    assert main([str(folder), "--self-check"]) == 0


def test_command_refuses_a_folder_without_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--self-check"]) == 2
    assert "evaluation_xyz.json" in capsys.readouterr().err
