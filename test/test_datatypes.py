"""What the plain containers refuse."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Box, Camera, Frame
from hoisdf_ros.errors import CameraError, ImageError

CAMERA = Camera(600, 600, 320, 240, 640, 480)
IMAGE = np.zeros((480, 640, 3), np.uint8)


@pytest.mark.parametrize(
    "values",
    [
        (0, 600, 320, 240, 640, 480),
        (-600, 600, 320, 240, 640, 480),
        (600, float("nan"), 320, 240, 640, 480),
        (600, 600, float("inf"), 240, 640, 480),
        (600, 600, 320, 240, 0, 480),
    ],
)
def test_cameras_that_cannot_project(values: tuple[float, ...]) -> None:
    with pytest.raises(CameraError, match="expected"):
        Camera(*values)  # type: ignore[arg-type]


@pytest.mark.parametrize("corners", [(5, 0, 5, 10), (5, 0, 4, 10), (0, float("nan"), 1, 1)])
def test_boxes_that_enclose_nothing(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(ImageError, match="x0 < x1"):
        Box(*corners)


DEPTH = np.zeros((480, 640), np.float32)


@pytest.mark.parametrize(
    ("image", "depth", "part"),
    [
        (IMAGE[:240], DEPTH, "camera_info"),
        (IMAGE.astype(float), DEPTH, "uint8"),
        (IMAGE, DEPTH[::2, ::2], "not registered"),
    ],
)
def test_frames_whose_parts_disagree(
    image: NDArray[np.uint8], depth: NDArray[np.float32], part: str
) -> None:
    with pytest.raises(ImageError, match=part):
        Frame(image, CAMERA, depth)


def test_box_geometry() -> None:
    box = Box(10, 20, 30, 60)
    assert box.center == (20.0, 40.0)
    assert box.size == (20.0, 40.0)
