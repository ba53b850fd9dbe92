"""Golden files: what is refused, and in which words."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.bench.golden import Golden, load_golden
from hoisdf_ros.errors import ParityError

Arrays = dict[str, Any]
QUERIES = 5


@pytest.fixture
def arrays() -> Arrays:
    shapes = {
        "image": (2, 3, 8, 8),
        "cam_intr": (2, 3, 3),
        "mano_root": (2, 3),
        "obj_center_cam": (2, 3),
        "bbox_hand": (2, 4),
        "bbox_obj": (2, 4),
        "hand_query_points": (2, QUERIES, 3),
        "hand_query_sdf": (2, QUERIES, 1),
        "object_query_points": (2, QUERIES, 3),
        "object_query_sdf": (2, QUERIES, 1),
    }
    return {name: np.zeros(shape) for name, shape in shapes.items()}


def load(folder: Path, arrays: Arrays) -> Golden:
    path = folder / "golden.npz"
    np.savez(path, **arrays)
    return load_golden(path)


def test_inputs_and_queries_are_read(tmp_path: Path, arrays: Arrays) -> None:
    golden = load(tmp_path, arrays)
    assert golden.inputs.hand_box.shape == (2, 4)
    assert golden.queries.hand.points.shape == (2, QUERIES, 3)
    assert "image" in golden
    assert "surprise" not in golden


def test_a_lattice_is_known_by_its_points(tmp_path: Path, arrays: Arrays) -> None:
    step = 2 / 63
    arrays["hand_query_points"] = np.full((2, QUERIES, 3), 3 * step - 1)
    assert load(tmp_path, arrays).lattice(64) == "regular"
    arrays["hand_query_points"] = np.full((2, QUERIES, 3), 3.4 * step - 1)
    assert load(tmp_path, arrays).lattice(64) == "sheared"


def test_what_is_missing_is_named(tmp_path: Path, arrays: Arrays) -> None:
    del arrays["cam_intr"], arrays["hand_query_sdf"]
    with pytest.raises(ParityError, match=r"golden\.npz lacks cam_intr, hand_query_sdf: expected"):
        load(tmp_path, arrays)


def test_an_array_that_another_needs_is_named_when_it_is_looked_for(
    tmp_path: Path, arrays: Arrays
) -> None:
    golden = load(tmp_path, arrays)
    with pytest.raises(ParityError, match="lacks 'target_hand_sdf'"):
        golden["target_hand_sdf"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("image", ()),
        ("image", (0, 3, 8, 8)),
        ("image", (2, 8, 8, 3)),
        ("bbox_obj", (1, 4)),
        ("cam_intr", (2, 9)),
        ("object_query_points", (2, QUERIES, 2)),
    ],
)
def test_another_shape_is_refused(
    tmp_path: Path, arrays: Arrays, name: str, shape: tuple[int, ...]
) -> None:
    arrays[name] = np.zeros(shape)
    with pytest.raises(ParityError, match=r"has shape .* expected \(B, "):
        load(tmp_path, arrays)


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_what_is_no_npz_is_refused_in_our_own_words(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "golden.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParityError, match=r"expected an \.npz of plain numbers") as refusal:
        load_golden(path)
    assert "pickle" not in str(refusal.value)


@pytest.mark.parametrize("odd", [np.array([{}], dtype=object), np.array(["word"])])
def test_only_numbers_are_read(tmp_path: Path, arrays: Arrays, odd: NDArray[np.generic]) -> None:
    with pytest.raises(ParityError, match=r"expected an \.npz of plain numbers") as refusal:
        load(tmp_path, {**arrays, "odd": odd})
    assert "pickle" not in str(refusal.value)
