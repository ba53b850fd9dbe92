"""Files that should hold arrays: read whole, or refused without advice to trust them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.errors import NpzError
from hoisdf_ros.npz import read_npz

NUMBERS = np.arange(6.0).reshape(2, 3)


def packed(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def array_file(array: NDArray[np.generic]) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


WHOLE = packed(a=array_file(NUMBERS))
OBJECTS = packed(a=array_file(np.array([{}, 1], dtype=object)))
DAMAGED = WHOLE.replace(NUMBERS.tobytes()[:16], bytes(range(16)))
HUGE = packed(a=array_file(NUMBERS).replace(b"(2, 3)", b"(9**9,)"))


def test_gives_the_wanted_arrays_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, numbers=NUMBERS, words=np.array(["a", "bc"]), other=np.ones(1))
    assert list(read_npz(path)) == ["numbers", "words", "other"]
    stored = read_npz(path, ["words", "numbers", "absent"])
    assert stored.keys() == {"numbers", "words"}
    np.testing.assert_array_equal(stored["numbers"], NUMBERS)
    assert stored["words"].tolist() == ["a", "bc"]
    np.testing.assert_array_equal(read_npz(io.BytesIO(path.read_bytes()))["numbers"], NUMBERS)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "No such file"),
        (b"", "it is no .npz"),
        (b"hello", "it is no .npz"),
        (array_file(NUMBERS), "it is no .npz"),
        (WHOLE[:-30], "it is no .npz, or a damaged one"),
        (DAMAGED, "or a damaged one .Bad CRC"),
        (packed(a=b"hello"), "array 'a' is damaged"),
        (HUGE, "array 'a' is damaged"),
        (OBJECTS, "array 'a' holds Python objects, which are never loaded"),
    ],
)
def test_what_is_no_npz_is_refused_in_our_own_words(
    tmp_path: Path, content: bytes | None, part: str
) -> None:
    path = tmp_path / "a.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NpzError, match=part) as refusal:
        read_npz(path)
    assert "allow_pickle" not in str(refusal.value)
    assert "trust" not in str(refusal.value)


def test_an_array_that_is_not_wanted_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(packed(a=array_file(NUMBERS), b=b"hello"))
    assert read_npz(path, ["a"]).keys() == {"a"}


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(NpzError, match=r"unpacks to 176 bytes, expected at most 100"):
        read_npz(io.BytesIO(WHOLE), max_bytes=100)
