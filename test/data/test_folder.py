"""Missing and damaged files of a data set are named, with what to do."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.data.folder import Folder
from hoisdf_ros.data.ycb import SYMMETRIC_OBJECTS, YCB_OBJECTS, object_corners
from hoisdf_ros.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, "Set", "unpack it")


def test_the_highest_missing_folder_is_named(folder: Folder) -> None:
    (folder.root / "a").mkdir()
    with pytest.raises(DataError, match=r"Set: '\S+/a/b' is missing \(needed for '\S+/b/c/d'\)"):
        folder.file(folder.root / "a" / "b" / "c" / "d")
    with pytest.raises(DataError, match=r"Set: '\S+/a/b' is missing; unpack it"):
        folder.directory(folder.root / "a" / "b")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_picture_is_rgb_and_a_cut_one_is_refused(folder: Folder, name: str) -> None:
    path = folder.root / name
    colour = np.full((40, 60, 3), (10, 60, 200), np.uint8)
    cv2.imwrite(str(path), np.ascontiguousarray(colour[:, :, ::-1]))
    assert np.abs(folder.rgb(path).astype(int) - colour).max() <= 3
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="end before the picture does"):
        folder.rgb(path)
    path.write_bytes(b"\xff\xd9IEND")
    with pytest.raises(DataError, match=r"it is not a (jpg|png) picture"):
        folder.rgb(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [1", "it is not YAML"), ("- 1", "holds a list"), ("b: 1", "it lacks a")],
)
def test_odd_yaml_is_refused(folder: Folder, text: str, message: str) -> None:
    path = folder.root / "a.yml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        folder.yaml(path, ["a"])


def test_yaml_makes_no_objects(folder: Folder) -> None:
    path = folder.root / "a.yml"
    path.write_text("a: !!python/object/apply:os.system ['true']")
    with pytest.raises(DataError, match="it is not YAML"):
        folder.yaml(path, ["a"])


def test_odd_arrays_are_refused(folder: Folder) -> None:
    path = folder.root / "a.npz"
    np.savez(path, a=np.arange(3), b=np.array([None]))
    assert folder.arrays(path, ["a"])["a"].tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="it lacks c"):
        folder.arrays(path, ["c"])
    with pytest.raises(DataError, match="array 'b' holds Python objects"):
        folder.arrays(path, ["b"])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="cannot be used"):
        folder.arrays(path, ["a"])


@pytest.mark.parametrize("value", [None, "x", [1, 2], [1, 2, float("nan")], {"a": 1}, [[1], 2, 3]])
def test_odd_numbers_are_refused(folder: Folder, value: object) -> None:
    path = folder.root / "a"
    assert folder.numbers(path, "n", [[1], [2], [3]], 3).tolist() == [1, 2, 3]
    with pytest.raises(DataError, match=r"'n' is .*, expected 3 finite numbers"):
        folder.numbers(path, "n", value, 3)


def test_there_are_21_objects_of_which_the_symmetric_ones_are_some() -> None:
    assert len(set(YCB_OBJECTS)) == 21
    assert set(YCB_OBJECTS) > SYMMETRIC_OBJECTS
    assert YCB_OBJECTS[16 - 1] == "036_wood_block"


def test_corners_come_from_points_or_else_from_the_mesh(folder: Folder) -> None:
    path = folder.root / "025_mug"
    path.mkdir()
    mesh = path / "textured_simple.obj"
    mesh.write_text("mtllib a\nv 0 0 0\nv 0.1 0.2 0.3\nvt 5 5\nvn 9 9 9\nf 1 2 1\n")
    corners = object_corners(folder, folder.root, "025_mug")
    assert corners.shape == (8, 3)
    assert corners.max(axis=0).tolist() == [0.1, 0.2, 0.3]
    (path / "points.xyz").write_text("0 0 0\n\n0.05 0.1 -0.2\n")
    assert object_corners(folder, folder.root, "025_mug").min(axis=0).tolist() == [0, 0, -0.2]
    (path / "points.xyz").write_text("0 0\n")
    with pytest.raises(DataError, match="without x, y and z"):
        object_corners(folder, folder.root, "025_mug")
    (path / "points.xyz").write_text("")
    with pytest.raises(DataError, match="0 points"):
        object_corners(folder, folder.root, "025_mug")
