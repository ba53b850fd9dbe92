"""Listens to the node and to the demo camera, and keeps what a report needs."""

import time
from collections.abc import Container
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from hoisdf_ros.conventions import NameSource, Side
from hoisdf_ros.datatypes import Estimate
from hoisdf_ros.msg import HandFaces, HandMeshArray, HandPoseArray, HeldObjectArray
from hoisdf_ros.ros.demo_camera import CAMERA
from hoisdf_ros.ros.image_messages import RGB, rgb_from_message
from hoisdf_ros.ros.received import estimate_of
from hoisdf_ros.ros.sensor_messages import stamp_of

Values = dict[str, dict[str, str]]
"""Diagnostics: by status, by key."""

_IMAGES_KEPT = 60
_TOPICS: dict[str, type] = {
    "hands": HandPoseArray,
    "objects": HeldObjectArray,
    "hand_meshes": HandMeshArray,
    "ground_truth/hands": HandPoseArray,
    "ground_truth/objects": HeldObjectArray,
}


class Recorder(Node):
    """Messages by topic and stamp; images only while asked for, since they are heavy.

    Args:
        node: Full name of the node whose diagnostics count.
        options: As for `rclpy.node.Node`.
    """

    def __init__(self, node: str, **options: object) -> None:
        super().__init__("demo_recorder", **options)
        self._watched = node
        self.messages: dict[str, dict[int, Any]] = {topic: {} for topic in _TOPICS}
        self.latency_ms: dict[int, float] = {}
        self.faces: dict[Side, NDArray[np.int64]] = {}
        self.diagnostics: Values = {}
        self._images: dict[int, Image] = {}
        self._image_topic: Subscription | None = None
        for topic, kind in _TOPICS.items():
            self.create_subscription(kind, topic, self._keeper(topic), 50)
        latched = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(HandFaces, "hand_faces", self._on_faces, latched)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def watch_images(self, wanted: bool) -> None:
        """Begin or stop to receive images; those that were received stay."""
        if wanted and self._image_topic is None:
            self._image_topic = self.create_subscription(
                Image, "image", self._on_image, qos_profile_sensor_data
            )
        elif not wanted and self._image_topic is not None:
            self.destroy_subscription(self._image_topic)
            self._image_topic = None

    def estimates(self) -> dict[int, Estimate]:
        """What the node found, by stamp."""
        return self._estimates("hands", "objects", self.messages["hands"])

    def truths(self) -> dict[int, Estimate]:
        """What was true, by stamp."""
        hands = "ground_truth/hands"
        return self._estimates(hands, "ground_truth/objects", self.messages[hands])

    def has_view(self) -> bool:
        """Whether there is an image that shows a hand with an object."""
        objects = self.messages["objects"]
        return any(objects[stamp].objects for stamp in self._views())

    def best_view(self) -> tuple[RGB, Estimate] | None:
        """An image and its estimate: one with a named object if any, and the most of a hand."""
        views = self._views()
        if not views:
            return None
        found = self._estimates("hands", "objects", views)
        best = max(views, key=lambda stamp: (_told(found[stamp]), _shown(found[stamp])))
        return rgb_from_message(views[best]), found[best]

    def _views(self) -> dict[int, Image]:
        """Images with a hand and its surface, by stamp."""
        hands, objects = self.messages["hands"], self.messages["objects"]
        return {
            stamp: image
            for stamp, image in self._images.items()
            if stamp in hands and stamp in objects and stamp in self.messages["hand_meshes"]
            if hands[stamp].hands
        }

    def _estimates(self, hands: str, objects: str, only: Container[int]) -> dict[int, Estimate]:
        both = self.messages[hands].keys() & self.messages[objects].keys()
        meshes = self.messages["hand_meshes"] if hands == "hands" else {}
        return {
            stamp: estimate_of(
                self.messages[hands][stamp],
                self.messages[objects][stamp],
                meshes[stamp].meshes if stamp in meshes else (),
            )
            for stamp in sorted(both)
            if stamp in only
        }

    def _keeper(self, topic: str) -> Any:  # noqa: ANN401
        def keep(message: Any) -> None:  # noqa: ANN401
            stamp = stamp_of(message.header)
            self.messages[topic][stamp] = message
            if topic == "hands":
                self.latency_ms[stamp] = (time.time_ns() - stamp) * 1e-6

        return keep

    def _on_image(self, message: Image) -> None:
        self._images[stamp_of(message.header)] = message
        if len(self._images) > _IMAGES_KEPT:  # what shows nothing goes first
            views = self._views()
            oldest = next(iter(self._images))
            del self._images[next((s for s in self._images if s not in views), oldest)]

    def _on_faces(self, message: HandFaces) -> None:
        self.faces[Side(message.side)] = np.reshape(message.triangles, (-1, 3)).astype(np.int64)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node, _, name = status.name.rpartition(": ")
            if node == self._watched:
                self.diagnostics[name] = {value.key: value.value for value in status.values}


def _told(estimate: Estimate) -> int:
    """How much is said of an object: 2 its name, 1 that there is one."""
    names = [held.naming.source for held in estimate.objects]
    return max((1 + (source is not NameSource.UNKNOWN) for source in names), default=0)


def _shown(estimate: Estimate) -> float:
    """Area of the hands' boxes that lies well inside the image, pixels."""
    boxes = [hand.roi for hand in estimate.hands]
    edge = 3
    whole = [
        b
        for b in boxes
        if min(b.x0, b.y0) > edge and b.x1 < CAMERA.width - edge and b.y1 < CAMERA.height - edge
    ]
    return float(sum(b.size[0] * b.size[1] for b in whole))
