"""What a camera and a detector send: the way back of `image_messages` and its neighbours."""

from array import array
from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from vision_msgs.msg import (
    Detection2D,
    Detection2DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
)

from hoisdf_ros.datatypes import Camera, Detection
from hoisdf_ros.ros.image_messages import RGB

DepthEncoding = Literal["32FC1", "16UC1"]


def header_at(stamp: int, frame_id: str) -> Header:
    """A header; ``stamp`` in nanoseconds."""
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(stamp, 1_000_000_000)
    return header


def stamp_of(header: Header) -> int:
    """The stamp of a header, nanoseconds."""
    return int(header.stamp.sec) * 1_000_000_000 + int(header.stamp.nanosec)


def image_message(header: Header, image: RGB) -> Image:
    """(H, W, 3) uint8 RGB as rgb8."""
    return _image(header, image, "rgb8")


def depth_message(
    header: Header, depth: NDArray[np.float32], encoding: DepthEncoding = "32FC1"
) -> Image:
    """(H, W) metres, NaN where unknown, as 32FC1 metres or 16UC1 millimetres with 0 for NaN."""
    if encoding == "32FC1":
        return _image(header, np.asarray(depth, dtype="<f4"), encoding)
    millimetres = np.nan_to_num(np.rint(depth * 1000.0), nan=0.0).clip(0, 65535)
    return _image(header, millimetres.astype("<u2"), encoding)


def camera_info_message(header: Header, camera: Camera) -> CameraInfo:
    """A camera without distortion; the frame is the header's."""
    k = camera.matrix
    p = np.hstack([k, np.zeros((3, 1))])
    return CameraInfo(
        header=header,
        width=camera.width,
        height=camera.height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=k.ravel().tolist(),
        r=np.eye(3).ravel().tolist(),
        p=p.ravel().tolist(),
    )


def detections_message(header: Header, detections: Iterable[Detection]) -> Detection2DArray:
    """Labelled boxes, pixels of the image of the same stamp."""
    return Detection2DArray(header=header, detections=[_detection(header, d) for d in detections])


def _image(header: Header, pixels: NDArray[np.generic], encoding: str) -> Image:
    data = pixels.tobytes()
    height, width = pixels.shape[:2]
    return Image(
        header=header,
        height=height,
        width=width,
        encoding=encoding,
        step=len(data) // height,
        data=array("B", data),  # rclpy checks the bytes of anything else one by one
    )


def _detection(header: Header, detection: Detection) -> Detection2D:
    hypothesis = ObjectHypothesis(class_id=detection.label, score=float(detection.score))
    message = Detection2D(header=header, results=[ObjectHypothesisWithPose(hypothesis=hypothesis)])
    center, size = detection.box.center, detection.box.size
    message.bbox.center.position.x, message.bbox.center.position.y = map(float, center)
    message.bbox.size_x, message.bbox.size_y = map(float, size)
    return message
