"""Frames survive their file."""

from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.bench.frames_file import read_frames, write_frames
from hoisdf_ros.datatypes import Box, Camera, Detection, Frame
from hoisdf_ros.errors import DataError

CAMERA = Camera(50.0, 51.0, 7.5, 5.5, 16, 12)


def frame(shade: int, *found: Detection) -> Frame:
    image = np.full((12, 16, 3), shade, np.uint8)
    return Frame(image, CAMERA, np.full((12, 16), 0.5, np.float32), found)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    hand = Detection("left_hand", Box(1.0, 2.0, 3.0, 4.0), 1.0)
    cup = Detection("cup", Box(2.0, 2.0, 5.0, 6.0), 1.0)
    frames = [frame(10, hand, cup), frame(20, hand)]
    write_frames(tmp_path / "frames.npz", frames)
    again = read_frames(tmp_path / "frames.npz")
    assert [found.detections for found in again] == [(hand, cup), (hand,)]
    assert [int(found.image[0, 0, 0]) for found in again] == [10, 20]
    assert again[0].camera == CAMERA
    assert again[0].depth is not None
    assert (again[0].depth == np.float32(0.5)).all()


def test_another_file_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    with pytest.raises(DataError, match=r"other\.npz: .*write_frames"):
        read_frames(tmp_path / "other.npz")
    with pytest.raises(DataError, match=r"none\.npz"):
        read_frames(tmp_path / "none.npz")
