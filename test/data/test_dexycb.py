"""DexYCB, written in miniature in its official layout and read back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.dexycb import DexYcb
from hoisdf_ros.data.dexycb_index import hand_in_picture
from hoisdf_ros.data.dexycb_splits import SERIALS
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.assets import HandArrays
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in

SUBJECT = "20200928-subject-07"  # all that s1-val needs
BETAS = np.linspace(-1, 1, 10)
WRIST = np.array([0.05, -0.03, 0.7])
OBJECT_ROTATION = matrix_from_rotation_vector([0.4, -0.2, 1.0])
OBJECT_PLACE = np.array([0.08, 0.01, 0.72])
CAMERA = Camera(600.0, 610.0, 310.0, 245.0, 640, 480)
NO_HAND = 1  # number of the frame without one


def sequence(i: int) -> str:
    return f"20200928_{140000 + 7 * i:06d}"


def side_of(i: int) -> Side:
    return Side.LEFT if i % 2 else Side.RIGHT


@pytest.fixture(scope="module")
def hands() -> dict[Side, HandArrays]:
    return odd_hands()


def odd_hands() -> dict[Side, HandArrays]:
    """Hands with a mean pose and components of their own, the left's unlike the right's."""
    rng = np.random.default_rng(5)
    made = {}
    for side in (Side.LEFT, Side.RIGHT):
        axes, _ = np.linalg.qr(rng.normal(size=(45, 45)))
        mean = rng.normal(scale=0.1, size=45)
        made[side] = replace(load_stand_in(side), hands_mean=mean, hands_components=axes)
    return made


def truth(hand: HandArrays) -> tuple[Array, Array]:
    """(48,) rotation vectors on a flat mean, and (21, 3) joints in metres."""
    flat = np.random.default_rng(int(hand.side)).normal(scale=0.3, size=48)
    rotations = torch.from_numpy(matrix_from_rotation_vector(flat.reshape(1, 16, 3))).float()
    posed = HandModel(hand)(rotations, torch.from_numpy(BETAS[None]).float())
    return flat, posed.joints[0].numpy().astype(float) + WRIST


def write_yaml(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))


def write_frame(folder: Path, number: int, hand: HandArrays, *, seen: bool) -> None:
    flat, joints = truth(hand)
    coefficients = (flat[3:] - hand.hands_mean) @ hand.hands_components.T
    off_wrist = WRIST - [0.09, 0.006, 0.005]  # where MANO's translation is
    seg = np.zeros((480, 640), np.uint8)
    seg[100:200, 50:150], seg[150:250, 300:400], seg[300:310, 0:10] = 255, 6, 3
    pose = np.zeros((3, 3, 4))
    pose[2] = np.column_stack([OBJECT_ROTATION, OBJECT_PLACE])
    nothing = not seen
    np.savez_compressed(
        folder / f"labels_{number:06d}.npz",
        seg=seg,
        pose_y=(pose * seen).astype(np.float32),
        pose_m=np.float32(seen) * np.hstack([flat[:3], coefficients, off_wrist])[None].astype("f4"),
        joint_3d=(np.full((1, 21, 3), -1) if nothing else joints[None]).astype(np.float32),
        joint_2d=(np.full((1, 21, 2), -1) if nothing else project(joints, CAMERA)[None]).astype(
            np.float32
        ),
    )
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :320] = 20, 60, 220  # blue, green, red
    cv2.imwrite(str(folder / f"color_{number:06d}.jpg"), picture)
    depth = np.full((480, 640), 712, np.uint16)
    depth[0, 0] = 0
    cv2.imwrite(str(folder / f"aligned_depth_to_color_{number:06d}.png"), depth)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, hands: dict[Side, HandArrays]) -> Path:
    return write_root(tmp_path_factory.mktemp("dexycb"), hands)


def write_root(root: Path, hands: dict[Side, HandArrays]) -> Path:
    """One subject whose first two sequences have pictures of the first and the fourth camera."""
    for serial in SERIALS:
        entry = {"fx": CAMERA.fx, "fy": CAMERA.fy, "ppx": CAMERA.cx, "ppy": CAMERA.cy}
        path = root / "calibration" / "intrinsics" / f"{serial}_640x480.yml"
        write_yaml(path, {"color": entry, "depth": {**entry, "fx": 1.0}})
    for i in range(100):
        folder = root / SUBJECT / sequence(i)
        calibration = f"20200928_subject-07_{side_of(i).name.lower()}"
        meta = {
            "num_frames": 2 if i < 2 else 0,
            "ycb_ids": [3, 11, 6],
            "ycb_grasp_ind": 2,
            "mano_sides": [side_of(i).name.lower()],
            "mano_calib": [calibration],
            "serials": list(SERIALS),
        }
        write_yaml(folder / "meta.yml", meta)
        for serial in SERIALS:
            (folder / serial).mkdir()
        write_yaml(
            root / "calibration" / f"mano_{calibration}" / "mano.yml", {"betas": BETAS.tolist()}
        )
    (root / SUBJECT / ".DS_Store").touch()
    for i, camera in ((0, 0), (1, 3)):
        for number in range(2):
            folder = root / SUBJECT / sequence(i) / SERIALS[camera]
            write_frame(folder, number, hands[side_of(i)], seen=number != NO_HAND)
    model = root / "models" / "007_tuna_fish_can"
    model.mkdir(parents=True)
    (model / "points.xyz").write_text("-0.04 -0.04 -0.02\n0.04 0.04 0.02\n0 0 0\n")
    return root


@contextmanager
def without(path: Path) -> Iterator[None]:
    away = path.with_name(f"{path.name}.away")
    path.rename(away)
    try:
        yield
    finally:
        away.rename(path)


@contextmanager
def holding(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def key(i: int, camera: int, frame: int) -> str:
    return f"{SUBJECT}/{sequence(i)}/{SERIALS[camera]}/{frame:06d}"


def test_frames_come_sequence_by_sequence_and_camera_by_camera(root: Path) -> None:
    data = DexYcb(root, "s1-val")
    assert len(data) == 2 * 8 * 2
    assert data.keys[:3] == (key(0, 0, 0), key(0, 0, 1), key(0, 1, 0))
    assert data.keys[-1] == key(1, 7, 1)
    assert len(set(data.keys)) == len(data)


def test_right_hands_only(root: Path, hands: dict[Side, HandArrays]) -> None:
    data = DexYcb(root, "s1-val", {Side.RIGHT: hands[Side.RIGHT]}, right_only=True)
    assert len(data) == 16
    assert data[0].side is Side.RIGHT
    with pytest.raises(DataError, match=r"MANO_LEFT\.pkl is needed"):
        DexYcb(root, "s1-val", {Side.RIGHT: hands[Side.RIGHT]})


@pytest.mark.parametrize("which", [(0, 0), (1, 3)])
def test_a_frame_is_read_to_the_millimetre(
    root: Path, hands: dict[Side, HandArrays], which: tuple[int, int]
) -> None:
    data = DexYcb(root, "s1-val", hands, with_depth=True)
    sample = data[data.keys.index(key(*which, 0))]
    hand = hands[side_of(which[0])]
    flat, joints = truth(hand)
    assert sample.side is hand.side
    assert sample.camera == CAMERA
    assert sample.joints == pytest.approx(joints, abs=1e-6)
    assert sample.hand_root == pytest.approx(WRIST, abs=1e-6)
    assert sample.mano is not None
    assert sample.mano.orient == pytest.approx(flat[:3], abs=1e-6)
    assert sample.mano.pose == pytest.approx(flat[3:], abs=1e-5)
    assert sample.mano.betas == pytest.approx(BETAS)
    assert sample.mano.translation == pytest.approx(WRIST, abs=1e-6)  # not MANO's own
    assert sample.object_id == "007_tuna_fish_can"
    assert sample.object_rotation == pytest.approx(OBJECT_ROTATION, abs=1e-6)
    assert sample.object_translation == pytest.approx(OBJECT_PLACE, abs=1e-6)
    assert sample.depth is not None
    assert np.isnan(sample.depth[0, 0])
    assert sample.depth[1:] == pytest.approx(0.712, abs=1e-6)


def test_the_parameters_pose_the_hand_onto_the_joints(
    root: Path, hands: dict[Side, HandArrays]
) -> None:
    data = DexYcb(root, "s1-val", hands)
    sample = data[data.keys.index(key(1, 3, 0))]
    assert sample.mano is not None
    vectors = np.concatenate([sample.mano.orient, sample.mano.pose]).reshape(1, 16, 3)
    rotations = torch.from_numpy(matrix_from_rotation_vector(vectors)).float()
    posed = HandModel(hands[Side.LEFT])(rotations, torch.from_numpy(BETAS[None]).float())
    assert posed.joints[0].numpy() + sample.mano.translation == pytest.approx(
        sample.joints, abs=1e-4
    )


def test_pictures_masks_and_boxes(root: Path) -> None:
    sample = DexYcb(root, "s1-val")[0]
    assert sample.mano is None  # no hand model was given
    assert np.abs(sample.image[240, 100].astype(int) - [220, 60, 20]).max() <= 4
    assert sample.hand_mask is not None
    assert sample.object_mask is not None
    assert np.argwhere(sample.hand_mask).min(axis=0).tolist() == [100, 50]
    assert np.argwhere(sample.object_mask).max(axis=0).tolist() == [249, 399]
    assert sample.object_mask.sum() == 100 * 100  # other objects are not the grasped one
    assert sample.hand_box is not None
    assert sample.object_box is not None
    assert sample.joints is not None
    pixels = project(sample.joints, CAMERA)
    assert sample.hand_box.array() == pytest.approx([*pixels.min(axis=0), *pixels.max(axis=0)])
    corners = np.array(list(np.ndindex(2, 2, 2))) * [0.08, 0.08, 0.04] - [0.04, 0.04, 0.02]
    pixels = project(corners @ OBJECT_ROTATION.T + OBJECT_PLACE, CAMERA)
    assert sample.object_box.array() == pytest.approx(
        [*pixels.min(axis=0), *pixels.max(axis=0)], abs=1e-3
    )
    assert sample.depth is None


def test_minus_one_and_zero_mean_unknown(root: Path, hands: dict[Side, HandArrays]) -> None:
    data = DexYcb(root, "s1-val", hands)
    sample = data[NO_HAND]
    assert (sample.joints, sample.hand_root, sample.mano, sample.hand_box) == (None,) * 4
    assert (sample.object_rotation, sample.object_box) == (None, None)
    assert [data.usable(0), data.usable(NO_HAND)] == [True, False]


@pytest.mark.parametrize(
    ("joints", "counts"),
    [
        ([[10, 10], [20, 30]], True),
        ([[-50, 10], [-20, 30]], True),  # kept, as published
        ([[700, 10], [720, 30]], False),
        ([[600, 479], [639, 481]], True),
        ([[600, 490], [639, 500]], False),
        ([[-1, -1], [-1, -1]], False),
        ([[5, 5], [9, 5]], False),
        ([], False),
    ],
)
def test_the_published_rule_of_which_hands_count(joints: list[list[int]], counts: bool) -> None:
    assert hand_in_picture(joints) is counts


def published(path: Path, name: str = "dex_ycb_s0_train_data.json", **change: object) -> str:
    inside, outside = [[[10, 10], [90, 90]]], [[[700, 10], [720, 30]]]
    chosen = {"id_10": (0, 0, 0, inside), "id_9": (1, 3, 0, inside), "id_2": (0, 0, 1, outside)}
    content: dict[str, dict[str, object]] = {
        name: {
            "color_file": f"{SUBJECT}/{sequence(i)}/{SERIALS[camera]}/color_{frame:06d}.jpg",
            "joint_2d": pixels,
            "intrinsics": {"fx": 1.0},
            "pose_m": [[0.0] * 51],
        }
        for name, (i, camera, frame, pixels) in chosen.items()
    }
    content["id_10"].update(change)
    file = path / name
    file.write_text(json.dumps(content))
    return str(file)


def test_a_published_file_chooses_and_orders_the_frames(root: Path, tmp_path: Path) -> None:
    data = DexYcb(root, published(tmp_path))
    assert data.keys == (key(1, 3, 0), key(0, 0, 0))
    assert data[1].hand_root == pytest.approx(WRIST, abs=1e-6)
    data = DexYcb(root, published(tmp_path), right_only=True)
    assert data.keys == (key(0, 0, 0),)


def test_a_cut_file_is_taken_whole(root: Path, tmp_path: Path) -> None:
    data = DexYcb(root, published(tmp_path, "dex_ycb_s0_test_data_cut.json"))
    assert data.keys == (key(0, 0, 1), key(1, 3, 0), key(0, 0, 0))


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "id_0"), ('{"a": 1}', "id_0"), ('{"id_1": {}}', "no color_file")],
)
def test_another_json_is_refused(root: Path, tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        DexYcb(root, str(path))
    with pytest.raises(DataError, match=r"gone\.json' is missing"):
        DexYcb(root, str(tmp_path / "gone.json"))


def test_a_published_file_names_paths_of_dexycb_only(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="id_10 has no color_file"):
        DexYcb(root, published(tmp_path, color_file="../../etc/color_000000.jpg"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("models", "/models' is missing"),
        ("models/007_tuna_fish_can", "007_tuna_fish_can' is missing"),
        ("calibration", "/calibration' is missing"),
        ("calibration/intrinsics", "/intrinsics' is missing"),
        ("calibration/mano_20200928_subject-07_left", "_left' is missing"),
        (SUBJECT, f"/{SUBJECT}' is missing"),
        (f"{SUBJECT}/{sequence(44)}", "has 99 sequences, expected 100"),
        (f"{SUBJECT}/{sequence(44)}/meta.yml", r"meta\.yml' is missing"),
        (f"{SUBJECT}/{sequence(44)}/{SERIALS[5]}", f"{SERIALS[5]}' is missing"),
    ],
)
def test_a_half_downloaded_folder_is_refused_at_once(root: Path, path: str, message: str) -> None:
    with without(root / path), pytest.raises(DataError, match=message) as caught:
        DexYcb(root, "s1-val")
    assert "https://dex-ycb.github.io" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["color_000000.jpg", "labels_000000.npz", "aligned_depth_to_color_000000.png"]
)
def test_a_missing_or_cut_file_of_a_frame_is_named(root: Path, name: str) -> None:
    data = DexYcb(root, "s1-val", with_depth=True)
    path = root / SUBJECT / sequence(0) / SERIALS[0] / name
    with without(path), pytest.raises(DataError, match=f"{name}' is missing"):
        data[0]
    with (
        holding(path, path.read_bytes()[:500]),
        pytest.raises(DataError, match=f"{name}' cannot be used"),
    ):
        data[0]


@pytest.mark.parametrize(
    "change",
    [
        {"ycb_grasp_ind": 3},
        {"ycb_grasp_ind": -1},
        {"ycb_ids": [1, 2, 22]},
        {"mano_sides": ["both"]},
        {"mano_calib": []},
        {"num_frames": None},
    ],
)
def test_an_odd_meta_file_is_refused(root: Path, change: dict[str, Any]) -> None:
    path = root / SUBJECT / sequence(7) / "meta.yml"
    odd = yaml.safe_load(path.read_text()) | change
    with (
        holding(path, yaml.safe_dump(odd).encode()),
        pytest.raises(DataError, match=r"meta\.yml' cannot be used"),
    ):
        DexYcb(root, "s1-val")


def test_the_wrong_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing; expected the folder that holds 20200709"):
        DexYcb(tmp_path, "s0-test")
    with pytest.raises(DataError, match="is missing"):
        DexYcb(tmp_path / "nowhere", "s0-test")
