"""From messages to a frame: what is refused, what is left out, and why."""

import math

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection2DArray

from hoisdf_ros.datatypes import Box, Camera, Detection
from hoisdf_ros.ros.frames import DroppedImageError, frame_from_messages
from hoisdf_ros.ros.pairing import Paired
from hoisdf_ros.ros.sensor_messages import (
    camera_info_message,
    depth_message,
    detections_message,
    header_at,
    image_message,
)

CAMERA = Camera(60.0, 60.0, 31.5, 23.5, 64, 48, "optical")
STAMP = 5_000_000_001
BOX = Detection("left_hand", Box(10.0, 5.0, 30.0, 45.0), 0.5)


@pytest.fixture
def info() -> CameraInfo:
    return camera_info_message(header_at(STAMP, "optical"), CAMERA)


@pytest.fixture
def image() -> Image:
    return image_message(header_at(STAMP, "optical"), np.full((48, 64, 3), 9, np.uint8))


@pytest.fixture
def depth() -> Image:
    return depth_message(header_at(STAMP, "optical"), np.full((48, 64), 0.5, np.float32))


@pytest.fixture
def boxes() -> Detection2DArray:
    return detections_message(header_at(STAMP, "optical"), [BOX])


def test_what_fits_together_becomes_a_frame(
    info: CameraInfo, image: Image, depth: Image, boxes: Detection2DArray
) -> None:
    frame, problems = frame_from_messages(Paired(STAMP, image, depth, boxes), info)
    assert problems == ()
    assert frame.camera == CAMERA
    assert frame.image.shape == (48, 64, 3)
    assert frame.depth is not None
    assert (frame.depth == 0.5).all()
    assert frame.detections == (BOX,)
    assert frame.stamp == pytest.approx(5.000000001)


def test_depth_and_detections_are_optional(info: CameraInfo, image: Image) -> None:
    frame, problems = frame_from_messages(Paired(STAMP, image), info)
    assert (frame.depth, frame.detections, problems) == (None, (), ())


def test_another_camera_s_calibration_is_refused(info: CameraInfo, image: Image) -> None:
    info.header.frame_id = "left"
    with pytest.raises(DroppedImageError, match=r"'optical'.*'left'") as caught:
        frame_from_messages(Paired(STAMP, image), info)
    assert caught.value.problem.reason == "frame of camera_info"


def test_a_bad_image_is_refused(info: CameraInfo, image: Image) -> None:
    image.encoding = "nv12"
    with pytest.raises(DroppedImageError, match="nv12") as caught:
        frame_from_messages(Paired(STAMP, image), info)
    assert caught.value.problem.reason == "image"


def test_a_bad_calibration_is_refused(info: CameraInfo, image: Image) -> None:
    info.k = np.zeros(9)
    with pytest.raises(DroppedImageError, match="calibrate") as caught:
        frame_from_messages(Paired(STAMP, image), info)
    assert caught.value.problem.reason == "camera_info"


@pytest.mark.parametrize(("size", "frame_id"), [((24, 32), "optical"), ((48, 64), "depth")])
def test_depth_of_another_size_or_frame_is_left_out(
    info: CameraInfo, image: Image, size: tuple[int, int], frame_id: str
) -> None:
    other = depth_message(header_at(STAMP, frame_id), np.ones(size, np.float32))
    frame, (problem,) = frame_from_messages(Paired(STAMP, image, other), info)
    assert frame.depth is None
    assert problem.reason == "depth not registered"
    assert f"{size[1]}x{size[0]} in frame '{frame_id}'" in problem.message
    assert "enable align_depth" in problem.message


def test_bad_depth_is_left_out(info: CameraInfo, image: Image, depth: Image) -> None:
    depth.data = depth.data[:-4]
    frame, (problem,) = frame_from_messages(Paired(STAMP, image, depth), info)
    assert (frame.depth, problem.reason) == (None, "depth")


def test_detections_in_another_image_are_left_out(
    info: CameraInfo, image: Image, boxes: Detection2DArray
) -> None:
    boxes.header.frame_id = "other"
    frame, (problem,) = frame_from_messages(Paired(STAMP, image, None, boxes), info)
    assert (frame.detections, problem.reason) == ((), "frame of detections")


def test_boxes_that_are_none_are_left_out_one_by_one(info: CameraInfo, image: Image) -> None:
    boxes = detections_message(header_at(STAMP, "optical"), [BOX] * 4)
    boxes.detections[0].bbox.size_x = 0.0
    boxes.detections[1].bbox.center.position.y = float("nan")
    boxes.detections[2].results = []
    frame, problems = frame_from_messages(Paired(STAMP, image, None, boxes), info)
    assert frame.detections == (BOX,)
    assert [problem.reason for problem in problems] == ["detection"] * 3


def test_the_best_hypothesis_counts(
    info: CameraInfo, image: Image, boxes: Detection2DArray
) -> None:
    better = detections_message(header_at(STAMP, "optical"), [Detection("cup", BOX.box, 0.9)])
    boxes.detections[0].results += better.detections[0].results
    frame, _ = frame_from_messages(Paired(STAMP, image, None, boxes), info)
    assert (frame.detections[0].label, frame.detections[0].score) == ("cup", 0.9)


def test_a_turned_box_becomes_the_upright_one_around_it(
    info: CameraInfo, image: Image, boxes: Detection2DArray
) -> None:
    boxes.detections[0].bbox.center.theta = math.pi / 2
    frame, _ = frame_from_messages(Paired(STAMP, image, None, boxes), info)
    assert frame.detections[0].box.center == BOX.box.center
    assert frame.detections[0].box.size == pytest.approx((40.0, 20.0))
