"""What is written as a camera's message is read back the same."""

import numpy as np

from hoisdf_ros.datatypes import Box, Detection
from hoisdf_ros.ros.image_messages import depth_from_message, rgb_from_message
from hoisdf_ros.ros.sensor_messages import (
    depth_message,
    detections_message,
    header_at,
    image_message,
)

STAMP = 1_700_000_000_123_456_789


def test_stamps_are_split_exactly() -> None:
    header = header_at(STAMP, "camera")
    assert (header.stamp.sec, header.stamp.nanosec) == (1_700_000_000, 123_456_789)
    assert header.frame_id == "camera"


def test_colours_survive() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(rgb_from_message(image_message(header_at(0, "c"), rgb)), rgb)


def test_depth_survives_to_the_millimetre() -> None:
    depth = np.array([[0.5, np.nan, 1.2344]], dtype=np.float32)
    metres = depth_from_message(depth_message(header_at(0, "c"), depth))
    assert np.array_equal(metres, depth, equal_nan=True)
    rounded = depth_from_message(depth_message(header_at(0, "c"), depth, "16UC1"))
    assert np.allclose(rounded, [[0.5, np.nan, 1.234]], equal_nan=True)


def test_detections_carry_label_score_and_box() -> None:
    box = Box(10.0, 20.0, 40.0, 80.0)
    message = detections_message(header_at(STAMP, "c"), [Detection("left_hand", box, 0.75)])
    (detection,) = message.detections
    assert detection.results[0].hypothesis.class_id == "left_hand"
    assert detection.results[0].hypothesis.score == 0.75
    center = detection.bbox.center.position
    assert (center.x, center.y, detection.bbox.size_x, detection.bbox.size_y) == (25, 50, 30, 60)
