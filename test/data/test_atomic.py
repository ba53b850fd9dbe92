"""Files are whole or not there, and a picture that cannot be written is an error."""

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.data.atomic import encoded, write_picture

RED = np.full((4, 6, 3), (255, 0, 0), np.uint8)


def test_a_picture_comes_back_with_its_colours(tmp_path: Path) -> None:
    path = tmp_path / "new" / "red.png"
    write_picture(path, RED)
    stored = cv2.imread(str(path))
    assert stored is not None
    np.testing.assert_array_equal(stored[..., ::-1], RED)
    assert [file.name for file in path.parent.iterdir()] == ["red.png"]


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "red.png").mkdir()
    with pytest.raises(OSError, match=r"red\.png"):
        write_picture(tmp_path / "red.png", RED)
    assert [file.name for file in tmp_path.iterdir()] == ["red.png"]


def test_a_picture_that_cannot_be_encoded_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, np.empty(0, np.uint8)))
    with pytest.raises(OSError, match=r"no \.png can be made of uint8 \(4, 6, 3\)"):
        encoded(".png", RED)


def test_half_a_file_is_never_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
