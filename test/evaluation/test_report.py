"""Real data sets in miniature from request to files, with random weights."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from hoisdf_ros.config import PRESETS
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import ConfigError, DataError, EvaluationError, HandModelError
from hoisdf_ros.evaluation.ho3d_submission import read_submission
from hoisdf_ros.evaluation.report import Report, Request, evaluate
from hoisdf_ros.hand_model.assets import HandArrays
from hoisdf_ros.hand_model.stand_in import load_stand_in
from hoisdf_ros.network.model import Hoisdf

Writers = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.manual_seed(0)
    torch.save({"network": Hoisdf(PRESETS["demo"]).state_dict(), "preset": "demo"}, path)
    return str(path)


def write_mano(folder: Path, hands: dict[Side, HandArrays]) -> str:
    """The folder of a registered user of MANO."""
    folder.mkdir()
    for side, hand in hands.items():
        arrays = {
            "v_template": hand.v_template,
            "f": hand.faces,
            "J_regressor": hand.joint_regressor,
            "weights": hand.weights,
            "shapedirs": hand.shapedirs,
            "posedirs": hand.posedirs,
            "hands_mean": hand.hands_mean,
            "hands_components": hand.hands_components,
            "kintree_table": np.stack([hand.parents, np.arange(16)]),
        }
        np.savez(folder / f"MANO_{side.name}.npz", **arrays)  # type: ignore[arg-type]
    return str(folder)


def write_model(root: Path, object_id: str, mesh: Mesh) -> None:
    lines = [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
    folder = root / "models" / object_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "textured_simple.obj").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def dexycb(
    writers: Writers, weights: str, brick: Mesh, tmp_path_factory: pytest.TempPathFactory
) -> Request:
    module, folder = writers("test_dexycb"), tmp_path_factory.mktemp("dexycb")
    hands = module.odd_hands()
    write_model(module.write_root(folder / "set", hands), "007_tuna_fish_can", brick)
    mano = write_mano(folder / "mano", {Side.RIGHT: hands[Side.RIGHT]})
    root = str(folder / "set")
    return Request(weights, "dexycb:s1-val", root, samples=1, hand_model_dir=mano, device="cpu")


@pytest.fixture
def ho3d(writers: Writers, weights: str, tmp_path: Path) -> Request:
    root = writers("test_ho3d").write_root(tmp_path / "set")
    mano = write_mano(tmp_path / "mano", {Side.RIGHT: load_stand_in(Side.RIGHT)})
    return Request(weights, "ho3d", str(root), hand_model_dir=mano, device="cpu")


def is_number(report: Report, *names: str) -> list[bool]:
    found = report.as_dict()
    return [isinstance(found[name], float) for name in names]


def test_dexycb(dexycb: Request, capsys: pytest.CaptureFixture[str]) -> None:
    report = evaluate(dexycb)
    assert report.title == "random.pth on dexycb:s1-val"
    assert all(is_number(report, "mje_mm", "mesh_mm", "adds_mm", "abs_adds_mm"))
    assert list(report.as_dict()["objects"]) == ["007_tuna_fish_can"]
    about = report.about
    assert (about["split"], about["seed"], about["preset"]) == ("s1-val", None, "demo")
    assert len(about["weights_sha256"]) == 64
    assert report.as_dict()["mean_pose_mje_mm"] is None  # the training split is not there
    assert "the mean pose is not measured" in capsys.readouterr().err


def test_the_truth_of_dexycb_is_what_the_annotated_joints_are(dexycb: Request) -> None:
    run = evaluate(dexycb).run
    sample = run.data.samples[0]
    truth = run.truth.hand(sample)
    assert truth is not None
    assert sample.joints is not None
    np.testing.assert_allclose(truth.joints, sample.joints, atol=1e-5)


def test_a_frame_that_is_missing_is_named(dexycb: Request) -> None:
    with pytest.raises(DataError, match=r"labels_000001\.npz"):
        evaluate(replace(dexycb, samples=2))


def test_left_hands_need_their_own_mano(dexycb: Request, tmp_path: Path) -> None:
    path = tmp_path / "full.pth"
    full = Hoisdf(PRESETS["dexycb_full"])
    torch.save({"network": full.state_dict(), "preset": "dexycb_full"}, path)
    with pytest.raises(HandModelError, match="MANO_LEFT"):
        evaluate(replace(dexycb, weights=str(path)))


def test_ho3d_is_submitted(
    ho3d: Request, writers: Writers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = evaluate(ho3d)
    assert report.as_dict()["mje_mm"] is None  # the joints are secret
    assert "has no meshes" in capsys.readouterr().err
    written = report.write(tmp_path / "out")
    assert [path.name for path in written] == ["results.json", "results.md", "pred.json"]
    found = read_submission(tmp_path / "out" / "pred.json")
    wrist = writers("test_ho3d").WRIST * [1, -1, -1]
    np.testing.assert_allclose(found.joints[0, 0], wrist, atol=1e-6)


def test_objects_of_ho3d_are_measured_without_its_hands(
    ho3d: Request, brick: Mesh, tmp_path: Path
) -> None:
    write_model(Path(ho3d.data_root), "003_cracker_box", brick)
    report = evaluate(ho3d)
    assert all(is_number(report, "ome_mm", "adds_mm", "abs_adds_mm"))
    assert report.as_dict()["hands"] == 0
    names = {path.name for path in report.write(tmp_path / "out")}
    assert {"errors.png", "contact_sheet.png"} < names


def test_the_objects_that_ho3d_does_not_score(ho3d: Request) -> None:
    assert evaluate(ho3d).run.data.not_scored == {"019_pitcher_base"}


def test_ho3d_has_a_mean_pose(ho3d: Request) -> None:
    report = evaluate(replace(ho3d, data="ho3d:train"))
    assert all(is_number(report, "mje_mm", "pa_mje_mm", "stmje_mm"))
    # both training frames show one and the same hand
    assert report.as_dict()["mean_pose_mje_mm"] == pytest.approx(0.0, abs=1e-2)
    assert not report.evaluation.joints  # there is nothing to submit


def test_a_submission_of_some_frames_is_none(ho3d: Request, tmp_path: Path) -> None:
    assert not evaluate(replace(ho3d, samples=1)).evaluation.joints
    report = evaluate(ho3d)
    spoilt = dataclasses.replace(report.evaluation, left_out={"no hand annotated": 1})
    with pytest.raises(EvaluationError, match="no way to leave a frame out"):
        replace(report, evaluation=spoilt).write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "results.json").read_text())["samples"] == 1


def test_a_folder_that_cannot_be_written_is_refused(dexycb: Request, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EvaluationError, match="cannot write results to"):
        evaluate(dexycb).write(tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 3}, "--seed 3: data 'ho3d' is not drawn"),
        ({"grasps": 3}, "--grasps 3: data 'ho3d' is not drawn"),
        ({"samples": 0}, "--samples 0: expected 1 or more"),
        ({"weights": ""}, "no weights"),
        ({"batch_size": 0}, "batch size 0"),
        ({"hand_model_dir": ""}, "by --hand-model"),
    ],
)
def test_what_has_no_meaning_is_refused(
    ho3d: Request, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        evaluate(replace(ho3d, **change))  # type: ignore[arg-type]
