"""From messages to the core's `Frame`: what fits together, and why something does not."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from vision_msgs.msg import Detection2D, Detection2DArray

from hoisdf_ros.datatypes import Box, Camera, Detection, Frame
from hoisdf_ros.errors import CameraError, HoisdfError, ImageError
from hoisdf_ros.ros.camera_messages import camera_from_message
from hoisdf_ros.ros.image_messages import (
    depth_from_message,
    rgb_from_compressed,
    rgb_from_message,
)
from hoisdf_ros.ros.pairing import Paired


@dataclass(frozen=True)
class Problem:
    """Something that was dropped.

    Args:
        reason: A few words, the same every time: what is counted.
        message: The value, what was expected and what to do.
    """

    reason: str
    message: str


DEPTH_REASONS = frozenset({"depth", "depth not registered"})
"""Reasons for which an image goes without the depth that came with it."""


class DroppedImageError(HoisdfError):
    """An image that cannot be estimated; nothing is published for it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(reason, message)


def frame_from_messages(
    paired: Paired, info: CameraInfo, rectified: bool = False
) -> tuple[Frame, tuple[Problem, ...]]:
    """One frame for the estimator.

    Args:
        paired: The image and what belongs to it.
        info: The latest calibration.
        rectified: See `camera_from_message`.

    Returns:
        The frame, and the depth or detections that had to be left out of it.

    Raises:
        DroppedImageError: Image and calibration cannot be used, or not together.
    """
    frame_id = paired.image.header.frame_id
    if info.header.frame_id != frame_id:
        raise DroppedImageError(
            "frame of camera_info",
            f"image is in frame '{frame_id}', camera_info in '{info.header.frame_id}': expected "
            "the same; subscribe to the camera_info of this camera",
        )
    try:
        image = _colours(paired.image)
    except ImageError as error:
        raise DroppedImageError("image", str(error)) from error
    height, width = image.shape[:2]
    try:
        camera = camera_from_message(info, width, height, rectified)
    except CameraError as error:
        raise DroppedImageError("camera_info", str(error)) from error
    depth, depth_problems = _depth(paired.depth, camera)
    detections, box_problems = _detections(paired.detections, frame_id)
    frame = Frame(image, camera, depth, detections, stamp=paired.stamp * 1e-9)
    return frame, depth_problems + box_problems


def _colours(msg: Image | CompressedImage) -> NDArray[np.uint8]:
    return rgb_from_compressed(msg) if isinstance(msg, CompressedImage) else rgb_from_message(msg)


def _depth(
    msg: Image | None, camera: Camera
) -> tuple[NDArray[np.float32] | None, tuple[Problem, ...]]:
    """Depth that belongs to the image's pixels, or None and why."""
    if msg is None:
        return None, ()
    has = f"{msg.width}x{msg.height} in frame '{msg.header.frame_id}'"
    wants = f"{camera.width}x{camera.height} in frame '{camera.frame_id}'"
    if has != wants:
        text = f"depth is {has}, the image {wants}: depth is not registered; enable align_depth"
        return None, (Problem("depth not registered", text),)
    try:
        return depth_from_message(msg), ()
    except ImageError as error:
        return None, (Problem("depth", str(error)),)


def _detections(
    msg: Detection2DArray | None, frame_id: str
) -> tuple[tuple[Detection, ...], tuple[Problem, ...]]:
    """Boxes in the image's pixels; those that are no boxes are left out and named."""
    if msg is None:
        return (), ()
    if msg.header.frame_id not in {"", frame_id}:
        text = (
            f"detections are in frame '{msg.header.frame_id}', the image in '{frame_id}': "
            "expected boxes in this image; remap 'detections' to the detector of this camera"
        )
        return (), (Problem("frame of detections", text),)
    results = [_detection(detection) for detection in msg.detections]
    found = tuple(result for result in results if isinstance(result, Detection))
    return found, tuple(result for result in results if isinstance(result, Problem))


def _detection(msg: Detection2D) -> Detection | Problem:
    """The best hypothesis of a detection, with the upright box around its box."""
    if not msg.results:
        text = (
            f"detection '{msg.id}' has no results: expected a class_id left_hand, right_hand or "
            "an object id; have the detector fill results"
        )
        return Problem("detection", text)
    best = max((result.hypothesis for result in msg.results), key=lambda h: float(h.score))
    x, y, angle = msg.bbox.center.position.x, msg.bbox.center.position.y, msg.bbox.center.theta
    cos, sin = abs(math.cos(angle)) / 2, abs(math.sin(angle)) / 2
    half_width = msg.bbox.size_x * cos + msg.bbox.size_y * sin
    half_height = msg.bbox.size_x * sin + msg.bbox.size_y * cos
    try:
        box = Box(x - half_width, y - half_height, x + half_width, y + half_height)
    except ImageError as error:
        return Problem("detection", f"'{best.class_id}': {error}; fix the detector")
    return Detection(best.class_id, box, float(best.score))
