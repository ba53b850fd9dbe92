"""The node's subscriptions: they only store, so that the executor never waits."""

import time
from collections.abc import Callable

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, ReliabilityPolicy, qos_check_compatible
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.ros.diagnostics import Topic
from hoisdf_ros.ros.health import Health
from hoisdf_ros.ros.pairing import Pairing
from hoisdf_ros.ros.sensor_messages import stamp_of
from hoisdf_ros.ros.worker import Worker


class Inputs:
    """Feeds a worker from topics, until closed.

    Args:
        node: Who subscribes.
        config: Transport, quality of service, and whether depth is wanted.
        worker: Gets the messages.
        health: Counts the images.
    """

    def __init__(self, node: Node, config: NodeConfig, worker: Worker, health: Health) -> None:
        self._node = node
        self._worker = worker
        self._health = health
        self._subscriptions: dict[str, Subscription] = {}
        self.info: CameraInfo | None = None
        """The latest calibration."""
        self._subscribe(config)

    def topics(self) -> dict[str, Topic]:
        """The inputs by role, as the graph shows them now."""
        return {role: self._topic(found) for role, found in self._subscriptions.items()}

    def close(self) -> None:
        """Unsubscribe."""
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()

    def _subscribe(self, config: NodeConfig) -> None:
        image_qos, depth_qos = _qos(config.image_qos), _qos(config.depth_qos)
        if config.image_transport == "compressed":
            # `image` may be remapped, and its transports are named after what it becomes.
            topic = self._node.resolve_topic_name("image") + "/compressed"
            self._add("image", CompressedImage, self._on_image, image_qos, topic)
        else:
            self._add("image", Image, self._on_image, image_qos)
        self._add("camera_info", CameraInfo, self._on_info, _qos(config.info_qos))
        if config.depth_mode == "aligned":
            self._add("depth", Image, self._on_depth, depth_qos)
        self._add("detections", Detection2DArray, self._on_detections, QoSProfile(depth=10))

    def _add(
        self,
        role: str,
        kind: type,
        callback: Callable[..., None],
        qos: QoSProfile,
        topic: str = "",
    ) -> None:
        options = QoSOverridingOptions.with_default_policies()
        self._subscriptions[role] = self._node.create_subscription(
            kind, topic or role, callback, qos, qos_overriding_options=options
        )

    def _on_image(self, msg: Image | CompressedImage) -> None:
        self._health.image_arrived()
        self._offer(lambda pairing, now: pairing.add_image(stamp_of(msg.header), msg, now))

    def _on_depth(self, msg: Image) -> None:
        self._offer(lambda pairing, now: pairing.depth.add(stamp_of(msg.header), msg, now))

    def _on_detections(self, msg: Detection2DArray) -> None:
        self._offer(lambda pairing, now: pairing.detections.add(stamp_of(msg.header), msg, now))

    def _on_info(self, msg: CameraInfo) -> None:
        self.info = msg

    def _offer(self, add: Callable[[Pairing, float], None]) -> None:
        now = time.monotonic()
        self._worker.offer(lambda pairing: add(pairing, now))

    def _topic(self, subscription: Subscription) -> Topic:
        name = subscription.topic_name
        publishers = self._node.get_publishers_info_by_topic(name)
        conflict = any(
            qos_check_compatible(publisher.qos_profile, subscription.qos_profile)[0]
            == QoSCompatibility.ERROR
            for publisher in publishers
        )
        return Topic(name, len(publishers), conflict)


def _qos(name: str) -> QoSProfile:
    """Of a camera's topic; its newest message replaces the one that waits."""
    reliable = name == "reliable"
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=1, reliability=policy)
