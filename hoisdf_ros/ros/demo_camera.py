"""`demo_camera`: an RGB-D camera and the truth about what it sees, without any hardware.

It shows the demo scene: hands that come, hold a real household object and go.
"""

import signal

if __name__ == "__main__":  # Ctrl-C during the imports, which take seconds: ends without a word
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray

from hoisdf_ros.data.scene import DemoScene
from hoisdf_ros.datatypes import Camera, Estimate
from hoisdf_ros.msg import HandPoseArray, HeldObjectArray
from hoisdf_ros.parameter import parameter
from hoisdf_ros.ros.estimate_messages import (
    ObjectModel,
    hand_pose_array,
    held_object_array,
    quaternion,
)
from hoisdf_ros.ros.ground_truth import TruthTeller
from hoisdf_ros.ros.outputs import model_of
from hoisdf_ros.ros.parameters import declare_fields
from hoisdf_ros.ros.sensor_messages import (
    DepthEncoding,
    camera_info_message,
    depth_message,
    detections_message,
    header_at,
    image_message,
)
from hoisdf_ros.ros.spinning import run

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480, "demo_camera_optical_frame")
WORLD = "world"

TOPICS: Mapping[str, type] = {
    "camera_info": CameraInfo,
    "depth": Image,
    "detections": Detection2DArray,
    "ground_truth/hands": HandPoseArray,
    "ground_truth/objects": HeldObjectArray,
    "image": Image,
}
"""What is published, in this order: the image comes last, when its partners are there."""

_WORLD_FROM_CAMERA = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class DemoCameraConfig:
    """Parameters of the demo camera.

    Args:
        seed: Another seed, another programme.
        rate_hz: Images per second.
        depth_encoding: 32FC1 (metres) or 16UC1 (millimetres).
        publish_detections: Send the boxes a perfect detector would find, too.
        noise: Add a sensor's noise to colour and depth.
    """

    seed: int = parameter(0, "another seed, another programme", low=0, high=2**31 - 1)
    rate_hz: float = parameter(30.0, "images per second", low=0.1, high=120.0)
    depth_encoding: DepthEncoding = parameter(  # noqa: RUF009
        "32FC1", "32FC1: depth in metres; 16UC1: in millimetres", choices=("32FC1", "16UC1")
    )
    publish_detections: bool = parameter(
        False, "send a perfect detector's boxes, too; without them the node finds hands itself"
    )
    noise: bool = parameter(True, "add a sensor's noise to colour and depth")


@dataclass
class DemoSource:
    """Everything the demo camera sends at a moment.

    Args:
        config: Seed, depth encoding, noise.
        camera: Size and intrinsics.
    """

    config: DemoCameraConfig
    camera: Camera = CAMERA
    scene: DemoScene = field(init=False)
    models: dict[str, ObjectModel] = field(init=False)

    def __post_init__(self) -> None:
        """Plan the programme and read the meshes, which takes some seconds."""
        self.scene = DemoScene(self.camera, self.config.seed, noise=self.config.noise)
        self.models = {name: model_of(mesh) for name, mesh in self.scene.meshes.items()}
        self._truth = TruthTeller(self.camera, self.scene.meshes, self.scene.grids)

    def messages(self, time_s: float, stamp: int) -> Iterator[tuple[str, Any]]:
        """Topic and message of one moment, in the order of `TOPICS`.

        Args:
            time_s: Seconds since the scene's start.
            stamp: Of all headers, nanoseconds.
        """
        state = self.scene.at(time_s)
        rendered = self.scene.render(state)
        detections = self.scene.truth_detections(state, rendered)
        truth: Estimate = self._truth(state, detections)
        header = header_at(stamp, self.camera.frame_id)
        yield "camera_info", camera_info_message(header, self.camera)
        yield "depth", depth_message(header, rendered.depth, self.config.depth_encoding)
        if self.config.publish_detections:
            yield "detections", detections_message(header, detections)
        yield "ground_truth/hands", hand_pose_array(header, truth.hands, self.camera)
        yield "ground_truth/objects", held_object_array(header, truth.objects, self.models)
        yield "image", image_message(header, rendered.image)


def static_transform(stamp: int, camera: Camera = CAMERA) -> TFMessage:
    """The camera in the world: a metre up, looking along x."""
    transform = TransformStamped(header=header_at(stamp, WORLD), child_frame_id=camera.frame_id)
    transform.transform.translation.z = 1.0
    transform.transform.rotation = quaternion(_WORLD_FROM_CAMERA)
    return TFMessage(transforms=[transform])


class DemoCamera(Node):
    """Publishes the demo scene in real time.

    Args:
        options: As for `rclpy.node.Node`.
    """

    def __init__(self, **options: object) -> None:
        super().__init__("demo_camera", **options)
        config = declare_fields(self, DemoCameraConfig)
        self._source = DemoSource(config)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._static = self.create_publisher(TFMessage, "/tf_static", latched)
        self._outputs = {
            topic: self.create_publisher(kind, topic, QoSProfile(depth=5))
            for topic, kind in TOPICS.items()
        }
        self._start = self.get_clock().now().nanoseconds
        self._static.publish(static_transform(self._start))
        self._timer = self.create_timer(1 / config.rate_hz, self._show)
        self.get_logger().info(f"showing {len(self._source.models)} objects, seed {config.seed}")

    def close(self) -> None:
        """Give the renderer back."""
        self._source.scene.close()

    def _show(self) -> None:
        stamp = self.get_clock().now().nanoseconds
        for topic, message in self._source.messages((stamp - self._start) * 1e-9, stamp):
            self._outputs[topic].publish(message)


def main(args: Sequence[str] | None = None) -> int:
    """The executable ``demo_camera``; ``args`` with ROS arguments, None takes the process's."""
    return run("demo_camera", DemoCamera, args)


if __name__ == "__main__":
    sys.exit(main())
