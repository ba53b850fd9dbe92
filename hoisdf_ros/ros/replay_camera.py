"""A camera and a detector that send frames from a file at an exact rate, as cheaply as they can.

The messages are serialised once; only their stamps change, so that the camera takes little of
the time that is measured beside it. ``python -m hoisdf_ros.ros.replay_camera --frames F``
"""

import argparse
import json
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection2DArray

from hoisdf_ros.bench.frames_file import read_frames
from hoisdf_ros.datatypes import Frame
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.msg import HandPoseArray
from hoisdf_ros.ros.sensor_messages import (
    camera_info_message,
    depth_message,
    detections_message,
    header_at,
    image_message,
)

_FRAME_ID = "camera_optical_frame"
_STAMP_AT = 4  # behind the encapsulation, in every message that begins with a header
_PATIENCE_S = 180.0
_SETTLE_S = 1.0

_KINDS = {"camera_info": CameraInfo, "depth": Image, "detections": Detection2DArray, "image": Image}


@dataclass(frozen=True)
class Programme:
    """What is sent.

    Args:
        frames: Shown one after the other, over and over.
        rate_hz: Images per second.
        seconds: How long.
        detections: Whether their boxes are sent, too.
    """

    frames: Sequence[Frame]
    rate_hz: float
    seconds: float
    detections: bool = True


class ReplayCamera(Node):
    """Publishes a programme, and counts the results that come back.

    Args:
        programme: What is sent.
        options: As for `rclpy.node.Node`.
    """

    def __init__(self, programme: Programme, **options: object) -> None:
        super().__init__("replay_camera", **options)
        self._programme = programme
        kinds = {n: k for n, k in _KINDS.items() if programme.detections or n != "detections"}
        self._outputs = {
            name: self.create_publisher(kind, name, QoSProfile(depth=5))
            for name, kind in kinds.items()
        }
        self._shots = [_serialised(frame, kinds) for frame in programme.frames]
        self._results = 0
        self.create_subscription(HandPoseArray, "hands", self._on_hands, QoSProfile(depth=10))

    def play(self, executor: SingleThreadedExecutor) -> dict[str, int]:
        """Wait for somebody who looks, send everything, and say what was sent.

        Raises:
            HoisdfError: Nobody subscribes to the image.
        """
        patience = time.monotonic() + _PATIENCE_S
        while not self._outputs["image"].get_subscription_count():
            if time.monotonic() > patience:
                raise HoisdfError(
                    f"nobody subscribed to the image within {_PATIENCE_S:.0f} s: is the node "
                    "running, in the same ROS_DOMAIN_ID?"
                )
            executor.spin_once(timeout_sec=0.1)
        period, late = 1 / self._programme.rate_hz, 0
        count, start = int(self._programme.seconds * self._programme.rate_hz), time.monotonic()
        for number in range(count):
            self._spin_until(executor, start + number * period)
            late += time.monotonic() > start + (number + 1) * period
            self._show(number)
        self._spin_until(executor, time.monotonic() + _SETTLE_S)
        return {"published": count, "late": late, "results": self._results}

    def _spin_until(self, executor: SingleThreadedExecutor, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            executor.spin_once(timeout_sec=left)

    def _show(self, number: int) -> None:
        stamp = divmod(self.get_clock().now().nanoseconds, 1_000_000_000)
        for name, content in self._shots[number % len(self._shots)].items():
            struct.pack_into("=iI", content, _STAMP_AT, *stamp)
            self._outputs[name].publish(bytes(content))

    def _on_hands(self, _: HandPoseArray) -> None:
        self._results += 1


def _serialised(frame: Frame, kinds: dict[str, type]) -> dict[str, bytearray]:
    """The messages of a frame, image last, when its partners are there."""
    header, camera = header_at(0, _FRAME_ID), replace(frame.camera, frame_id=_FRAME_ID)
    messages = {
        "camera_info": camera_info_message(header, camera),
        "depth": None if frame.depth is None else depth_message(header, frame.depth, "16UC1"),
        "detections": detections_message(header, frame.detections),
        "image": image_message(header, frame.image),
    }
    return {
        name: bytearray(serialize_message(messages[name]))
        for name in kinds
        if messages[name] is not None
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a file; 2 when something refused."""
    parser = argparse.ArgumentParser(description="Send frames from a file as a camera would.")
    parser.add_argument("--frames", type=Path, required=True, help="a file of frames")
    parser.add_argument("--rate", type=float, default=30.0, help="images per second (30)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--no-detections", action="store_true", help="send no boxes")
    options = parser.parse_args(arguments)
    try:
        frames = read_frames(options.frames)
        programme = Programme(frames, options.rate, options.seconds, not options.no_detections)
        rclpy.init(args=[])
        camera, executor = ReplayCamera(programme), SingleThreadedExecutor()
        executor.add_node(camera)
        print(json.dumps(camera.play(executor)))
    except HoisdfError as error:
        print(f"replay_camera: {error}", file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
