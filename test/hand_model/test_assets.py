"""Hand model files: what is read, and what each broken one is told."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.errors import HandModelError
from hoisdf_ros.hand_model.assets import FILE_SHAPES, hand_arrays_from_mapping, load_hand_arrays
from hoisdf_ros.hand_model.restricted_pickle import MAX_BYTES

Stored = dict[str, Any]


def test_npz_is_read_in_double_precision(stored: Stored, tmp_path: Path) -> None:
    path = tmp_path / "MANO_RIGHT.npz"
    np.savez(path, **stored)
    hand = load_hand_arrays(path, Side.RIGHT)
    assert hand.side is Side.RIGHT
    assert hand.tips == (745, 317, 444, 556, 673)
    assert np.array_equal(hand.posedirs, stored["posedirs"])
    assert np.array_equal(hand.faces, stored["f"])
    assert hand.weights.dtype == np.float64
    assert hand.parents[0] == -1


@pytest.mark.parametrize("name", FILE_SHAPES)
def test_each_array_is_needed_and_has_one_shape(stored: Stored, name: str) -> None:
    cut = {**stored, name: stored[name][:-1]}
    with pytest.raises(HandModelError, match=f"'{name}' has shape .* expected ") as caught:
        hand_arrays_from_mapping(cut, Side.RIGHT, "x.npz")
    assert str(FILE_SHAPES[name]) in str(caught.value)
    del cut[name]
    with pytest.raises(HandModelError, match=f"x.npz lacks {name}:"):
        hand_arrays_from_mapping(cut, Side.RIGHT, "x.npz")


BROKEN: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "nan": (
        "posedirs",
        lambda a: np.where(a == a[0, 0, 0], np.nan, a),
        "'posedirs' has 1 values that are NaN or infinite",
    ),
    "infinite": ("weights", lambda a: a / 0.0, "'weights' has"),
    "weights": ("weights", lambda a: a * 1.01, "row .* of 'weights' sums to 1.0100"),
    "faces": ("f", lambda a: a + 1, "'f' holds 1 to 778, expected vertex indices 0 to 777"),
    "tree": ("kintree_table", lambda a: np.roll(a, 1, axis=1), "kintree_table gives"),
    "millimetres": ("v_template", lambda a: a * 1e3, "v_template spans .* another unit"),
    "text": ("hands_mean", lambda a: a.astype(str), "'hands_mean' holds <U"),
}


@pytest.mark.filterwarnings("ignore:.*encountered in divide")
@pytest.mark.parametrize("case", BROKEN)
def test_implausible_arrays_are_named(stored: Stored, case: str) -> None:
    name, change, message = BROKEN[case]
    stored[name] = change(stored[name])
    with pytest.raises(HandModelError, match=message):
        hand_arrays_from_mapping(stored, Side.RIGHT, "x.npz")


@pytest.mark.parametrize("name", ["MANO_LEFT", "mano-left_v1", "renamed"])
def test_a_left_file_is_not_taken_for_a_right_one(
    stored: Stored, name: str, tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.npz"
    stored["v_template"] = stored["v_template"] * [-1, 1, 1]
    np.savez(path, **stored)
    with pytest.raises(HandModelError, match=r"LEFT hand .*expected RIGHT"):
        load_hand_arrays(path, Side.RIGHT)
    left = load_hand_arrays(path, Side.LEFT)
    assert left.tips[2] == 445


def test_a_right_template_is_refused_under_a_left_name(stored: Stored, tmp_path: Path) -> None:
    path = tmp_path / "MANO_LEFT.npz"
    np.savez(path, **stored)
    for side in (Side.LEFT, Side.RIGHT):
        with pytest.raises(HandModelError, match="hand"):
            load_hand_arrays(path, side)


def test_a_hand_in_an_odd_frame_passes_by_its_word(stored: Stored, tmp_path: Path) -> None:
    path = tmp_path / "upright.npz"  # neither the name nor the direction tells the side
    stored["v_template"] = stored["v_template"][:, [1, 0, 2]]
    np.savez(path, **stored)
    assert load_hand_arrays(path, Side.LEFT).side is Side.LEFT


def test_mirroring_twice_gives_the_hand_back(stored: Stored) -> None:
    hand = hand_arrays_from_mapping(stored, Side.RIGHT, "x")
    left = hand.mirrored()
    assert left.side is Side.LEFT
    assert left.tips == hand.tips
    again = left.mirrored()
    for name in ("v_template", "faces", "shapedirs", "posedirs", "hands_mean", "hands_components"):
        assert np.array_equal(getattr(again, name), getattr(hand, name)), name
        assert not np.array_equal(getattr(left, name), getattr(hand, name)), name


def test_files_that_cannot_be_read_say_why(stored: Stored, tmp_path: Path) -> None:
    with pytest.raises(HandModelError, match="not a file"):
        load_hand_arrays(tmp_path / "MANO_RIGHT.pkl", Side.RIGHT)
    (tmp_path / "a.obj").write_text("v 0 0 0")
    with pytest.raises(HandModelError, match=r"ends in '\.obj'"):
        load_hand_arrays(tmp_path / "a.obj", Side.RIGHT)
    (tmp_path / "a.npz").write_text("PK no zip")
    with pytest.raises(HandModelError, match=r"it is no \.npz, or a damaged one"):
        load_hand_arrays(tmp_path / "a.npz", Side.RIGHT)
    np.savez(tmp_path / "b.npz", **stored)
    with pytest.raises(HandModelError, match="side is UNKNOWN"):
        load_hand_arrays(tmp_path / "b.npz", Side.UNKNOWN)
    (tmp_path / "c.npz").write_bytes((tmp_path / "b.npz").read_bytes()[:-100])
    with pytest.raises(HandModelError, match=r"it is no \.npz, or a damaged one"):
        load_hand_arrays(tmp_path / "c.npz", Side.RIGHT)


def test_an_npz_with_pickled_objects_is_refused(stored: Stored, tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
            return Path.touch, (marker,)

    stored["J_regressor"] = np.array(Payload(), dtype=object)
    np.savez(tmp_path / "a.npz", **stored)
    with pytest.raises(HandModelError, match=r"'J_regressor' holds Python objects.*toarray"):
        load_hand_arrays(tmp_path / "a.npz", Side.RIGHT)
    assert not marker.exists()


def test_a_zip_bomb_and_a_huge_file_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v_template.npy", bytes(MAX_BYTES + 1))
    with pytest.raises(HandModelError, match="unpacks to"):
        load_hand_arrays(tmp_path / "a.npz", Side.RIGHT)
    with (tmp_path / "b.pkl").open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    with pytest.raises(HandModelError, match="expected at most"):
        load_hand_arrays(tmp_path / "b.pkl", Side.RIGHT)
