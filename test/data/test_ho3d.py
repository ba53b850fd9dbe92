"""HO-3D, written in miniature in its official layout and read back."""

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from hoisdf_ros.conventions import HAND_ORDER_FROM_MANO, Side
from hoisdf_ros.data.ho3d import DEPTH_UNIT_M, Ho3d
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in

CAMERA = Camera(614.6, 614.9, 320.3, 241.4, 640, 480)
FLIP = np.diag([1.0, -1.0, -1.0])
WRIST = np.array([-0.04, 0.06, 0.55])
OBJECT_ROTATION = matrix_from_rotation_vector([-0.5, 0.7, 0.2])
OBJECT_PLACE = np.array([0.02, 0.03, 0.6])
BETAS = np.linspace(-0.5, 0.5, 10)
CORNERS = np.array(list(np.ndindex(2, 2, 2))) * [0.07, 0.16, 0.21] - 0.05
TO_MANO_ORDER = np.argsort(HAND_ORDER_FROM_MANO)
DEPTH = 4567  # units


def hand_truth() -> tuple[Array, Array]:
    """(48,) rotation vectors and (21, 3) joints, in our frame."""
    pose = np.random.default_rng(3).normal(scale=0.3, size=48)
    rotations = torch.from_numpy(matrix_from_rotation_vector(pose.reshape(1, 16, 3))).float()
    posed = HandModel(load_stand_in(Side.RIGHT))(rotations, torch.from_numpy(BETAS[None]).float())
    return pose, posed.joints[0].numpy().astype(float) + WRIST


def as_gl(vector: Array) -> Array:
    """The rotation vector that OpenGL's frame has for a rotation to our frame."""
    return rotation_vector_from_matrix(FLIP @ matrix_from_rotation_vector(vector))


def annotation(split: str) -> dict[str, Any]:
    """What a meta file holds."""
    pose, joints = hand_truth()
    common = {
        "camMat": CAMERA.matrix,
        "objName": "003_cracker_box",
        "objLabel": 2,
        "objRot": as_gl(rotation_vector_from_matrix(OBJECT_ROTATION)).reshape(3, 1),
        "objTrans": (OBJECT_PLACE @ FLIP).astype(np.float32),
        "objCorners3DRest": CORNERS,
        "objCorners3D": np.zeros((8, 3)),
    }
    if split == "evaluation":
        box = [200, 150, 330, np.int64(280)]
        return {**common, "handJoints3D": joints[0] @ FLIP, "handBoundingBox": box}
    return {
        **common,
        "handJoints3D": (joints @ FLIP)[TO_MANO_ORDER],
        "handPose": np.concatenate([as_gl(pose[:3]), pose[3:]]),
        "handBeta": BETAS,
        "handTrans": WRIST @ FLIP - [0.09, 0.006, 0.005],
        "handVertContact": np.zeros(778),
    }


def write_meta(path: Path, content: object) -> None:
    """As Python 2 and NumPy 1 wrote it."""
    data = pickle.dumps(content, protocol=2)
    path.write_bytes(data.replace(b"numpy._core.", b"numpy.core."))


def write_frame(folder: Path, frame: str, split: str) -> None:
    for part in ("rgb", "depth", "meta", "seg"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :320] = 20, 60, 220  # blue, green, red
    cv2.imwrite(str(folder / "rgb" / f"{frame}.png"), picture)
    depth = np.zeros((480, 640, 3), np.uint8)
    depth[1:] = 0, DEPTH // 256, DEPTH % 256
    cv2.imwrite(str(folder / "depth" / f"{frame}.png"), depth)
    write_meta(folder / "meta" / f"{frame}.pkl", annotation(split))
    seg = np.zeros((240, 320, 3), np.uint8)
    seg[40:80, 50:90], seg[100:140, 160:240] = (0, 0, 255), (255, 0, 0)
    if split == "train":
        cv2.imwrite(str(folder / "seg" / f"{frame}.jpg"), seg, [cv2.IMWRITE_JPEG_QUALITY, 100])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_root(tmp_path)


def write_root(root: Path) -> Path:
    """Two frames to train on and one of the evaluation split."""
    write_frame(root / "train" / "ABF10", "0000", "train")
    write_frame(root / "train" / "MC1", "0012", "train")
    write_frame(root / "evaluation" / "SM1", "0003", "evaluation")
    (root / "train.txt").write_text("MC1/0012\nABF10/0000\n")
    (root / "evaluation.txt").write_text("SM1/0003\n")
    return root


def test_a_training_frame_is_read_to_the_millimetre(root: Path) -> None:
    data = Ho3d(root, "train")
    assert data.keys == ("MC1/0012", "ABF10/0000")
    assert len(data) == 2
    sample = data[1]
    pose, joints = hand_truth()
    assert sample.key == "ABF10/0000"
    assert sample.camera == CAMERA
    assert sample.side is Side.RIGHT
    assert sample.joints == pytest.approx(joints, abs=1e-6)
    assert sample.hand_root == pytest.approx(WRIST, abs=1e-6)
    assert sample.mano is not None
    assert matrix_from_rotation_vector(sample.mano.orient) == pytest.approx(
        matrix_from_rotation_vector(pose[:3]), abs=1e-6
    )
    assert sample.mano.pose == pytest.approx(pose[3:])
    assert sample.mano.betas == pytest.approx(BETAS)
    assert sample.mano.translation == pytest.approx(WRIST, abs=1e-6)
    assert sample.object_id == "003_cracker_box"
    assert sample.object_rotation == pytest.approx(OBJECT_ROTATION, abs=1e-6)
    assert sample.object_translation == pytest.approx(OBJECT_PLACE, abs=1e-6)


def test_pictures_masks_and_boxes(root: Path) -> None:
    sample = Ho3d(root, "train")[0]
    assert sample.image[240, 100].tolist() == [220, 60, 20]
    assert sample.hand_mask is not None
    assert sample.object_mask is not None
    assert sample.hand_mask.shape == (480, 640)
    hand, thing = np.argwhere(sample.hand_mask), np.argwhere(sample.object_mask)
    assert np.abs(hand.min(axis=0) - [80, 100]).max() <= 4  # JPEG frays the edges
    assert np.abs(thing.max(axis=0) - [279, 479]).max() <= 4
    assert sample.hand_box is not None
    assert sample.object_box is not None
    assert sample.joints is not None
    pixels = project(sample.joints, CAMERA)
    assert sample.hand_box.array() == pytest.approx([*pixels.min(axis=0), *pixels.max(axis=0)])
    pixels = project(CORNERS @ OBJECT_ROTATION.T + OBJECT_PLACE, CAMERA)
    assert sample.object_box.array() == pytest.approx(
        [*pixels.min(axis=0), *pixels.max(axis=0)], abs=1e-3
    )
    assert sample.depth is None


def test_depth_beyond_one_byte(root: Path) -> None:
    depth = Ho3d(root, "train", with_depth=True)[0].depth
    assert depth is not None
    assert np.isnan(depth[0]).all()
    assert depth[1:] == pytest.approx(DEPTH * DEPTH_UNIT_M, abs=1e-6)


def test_in_the_evaluation_split_only_the_wrist_and_a_box_are_known(root: Path) -> None:
    data = Ho3d(root, "evaluation", with_depth=True)
    sample = data[0]
    assert sample.hand_root == pytest.approx(WRIST, abs=1e-6)
    assert (sample.joints, sample.mano, sample.hand_mask, sample.object_mask) == (None,) * 4
    assert sample.hand_box is not None
    assert sample.hand_box.array().tolist() == [200, 150, 330, 280]
    assert sample.object_translation == pytest.approx(OBJECT_PLACE, abs=1e-6)
    assert data.usable(0)


def test_version_3_has_jpegs_and_masks_as_png(root: Path) -> None:
    for path in (root / "train" / "MC1").rglob("0012.*"):
        if path.parent.name in ("rgb", "seg"):
            other = {".png": ".jpg", ".jpg": ".png"}[path.suffix]
            picture = cv2.imread(str(path))
            assert picture is not None
            cv2.imwrite(str(path.with_suffix(other)), picture)
            path.unlink()
    sample = Ho3d(root, "train")[0]
    assert np.abs(sample.image[240, 100].astype(int) - [220, 60, 20]).max() <= 4
    assert sample.hand_mask is not None
    assert sample.hand_mask[100, 120]


def test_none_means_unknown(root: Path) -> None:
    path = root / "train" / "MC1" / "meta" / "0012.pkl"
    write_meta(path, {**annotation("train"), "objRot": None, "objTrans": None})
    data = Ho3d(root, "train")
    sample = data[0]
    assert (sample.object_rotation, sample.object_translation, sample.object_box) == (None,) * 3
    assert sample.joints is not None
    assert [data.usable(0), data.usable(1)] == [False, True]
    write_meta(path, {**annotation("train"), "handJoints3D": None})
    assert (data[0].hand_root, data[0].joints, data[0].mano, data[0].hand_box) == (None,) * 4
    assert not data.usable(0)


@pytest.mark.parametrize(
    "path",
    ["train", "train.txt", "train/MC1", "train/MC1/rgb", "train/ABF10/seg", "train/ABF10/depth"],
)
def test_a_half_downloaded_folder_is_refused_at_once(root: Path, path: str) -> None:
    (root / path).rename(root / "away")
    with pytest.raises(DataError, match=f"{path}' is missing") as caught:
        Ho3d(root, "train", with_depth=True)
    assert "train.txt and evaluation.txt" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["rgb/0012.png", "meta/0012.pkl", "seg/0012.jpg", "depth/0012.png"]
)
def test_a_missing_or_cut_file_of_a_frame_is_named(root: Path, name: str) -> None:
    data = Ho3d(root, "train", with_depth=True)
    path = root / "train" / "MC1" / name
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=rf"{name}' (cannot be used|refused)"):
        data[0]
    path.unlink()
    with pytest.raises(DataError, match=f"{name}' is missing"):
        data[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"camMat": np.zeros((2, 3))}, "'camMat' is"),
        ({"camMat": "x"}, "'camMat' is"),
        ({"objTrans": None}, "'objTrans' is None"),
        ({"objTrans": np.full(3, np.nan)}, "'objTrans' is"),
        ({"handJoints3D": np.zeros((20, 3))}, "'handJoints3D' is"),
        ({"handPose": np.zeros(45)}, "'handPose' is"),
    ],
)
def test_odd_annotations_are_refused(root: Path, change: dict[str, Any], message: str) -> None:
    path = root / "train" / "MC1" / "meta" / "0012.pkl"
    write_meta(path, annotation("train") | change)
    with pytest.raises(DataError, match=message):
        Ho3d(root, "train")[0]


def test_an_empty_hand_box_is_refused(root: Path) -> None:
    path = root / "evaluation" / "SM1" / "meta" / "0003.pkl"
    write_meta(path, annotation("evaluation") | {"handBoundingBox": [5, 5, 5, 9]})
    with pytest.raises(DataError, match="handBoundingBox"):
        Ho3d(root, "evaluation")[0]


def test_a_hostile_annotation_runs_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    path = root / "train" / "MC1" / "meta" / "0012.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(DataError, match=r"asks for 'os\.system'"):
        Ho3d(root, "train")[0]
    assert not (root / "ran").exists()


@pytest.mark.parametrize("text", ["", "MC1/../../x\n", "MC1 0012\n"])
def test_an_odd_list_is_refused(root: Path, text: str) -> None:
    (root / "train.txt").write_text(text)
    with pytest.raises(DataError, match="expected <sequence>/<frame>"):
        Ho3d(root, "train")


def test_an_unknown_split_is_named(root: Path) -> None:
    with pytest.raises(DataError, match="no split 'test', expected one of train, evaluation"):
        Ho3d(root, "test")
