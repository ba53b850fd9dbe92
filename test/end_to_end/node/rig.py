"""A node and a neighbour that feeds it and listens; `conftest` makes fixtures of it."""

import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from hoisdf_ros.msg import HandPoseArray, HeldObjectArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from vision_msgs.msg import Detection2DArray

from hoisdf_ros.config import EstimatorConfig, NodeConfig
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, Frame
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.node import HandObjectNode
from hoisdf_ros.ros.sensor_messages import (
    camera_info_message,
    depth_message,
    detections_message,
    header_at,
    image_message,
    stamp_of,
)

CAMERA = Camera(60.0, 60.0, 31.5, 23.5, 64, 48, "optical")
BOX = Detection("right_hand", Box(10.0, 5.0, 30.0, 45.0))
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class WatchedEstimator(ConstantEstimator):
    """Remembers what it is asked, and can be held up or made to fail."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.configs: list[EstimatorConfig] = []
        self.resets = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, frame: Frame) -> Estimate:
        self.frames.append(frame)
        assert self.gate.wait(20)
        if self.error is not None:
            raise self.error
        return super().__call__(frame)

    def update(self, config: EstimatorConfig) -> None:
        self.configs.append(config)

    def reset(self) -> None:
        self.resets += 1


@dataclass
class Shot:
    """The messages of one moment, to be spoilt before they are sent."""

    stamp: int
    image: Image | CompressedImage = field(init=False)
    info: CameraInfo | None = field(init=False)
    depth: Image | None = field(init=False)
    boxes: Detection2DArray | None = field(init=False)

    def __post_init__(self) -> None:
        header = header_at(self.stamp, "optical")
        self.image = image_message(header, np.full((48, 64, 3), 9, np.uint8))
        self.info = camera_info_message(header, CAMERA)
        self.depth = depth_message(header, np.full((48, 64), 0.5, np.float32))
        self.boxes = detections_message(header, [BOX])


class Rig:
    """The node and a neighbour that feeds it and listens, in one executor."""

    def __init__(self, context: Context, kind: type = Image, **parameters: object) -> None:
        self.estimator = WatchedEstimator()
        self.failures: list[Exception] = []
        self.load_s = 0.0
        self.got: dict[str, list[Any]] = {}
        self.namespace = f"/t{random.SystemRandom().randrange(10**9)}"
        options = {"context": context, "namespace": self.namespace}
        reliable = dict.fromkeys(("image_qos", "depth_qos", "info_qos"), "reliable")
        values = {"autostart": False, **reliable, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.node = HandObjectNode(self._make, parameter_overrides=overrides, **options)
        self.neighbour = Node("neighbour", **options)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.executor.add_node(self.neighbour)
        topic = "image" if kind is Image else "image/compressed"
        self.inputs = {
            "image": self._publisher(kind, topic),
            "info": self._publisher(CameraInfo, "camera_info"),
            "depth": self._publisher(Image, "depth"),
            "boxes": self._publisher(Detection2DArray, "detections"),
        }
        self.listen(HandPoseArray, "hands")
        self.listen(HeldObjectArray, "objects")
        self.listen(DiagnosticArray, "/diagnostics")

    def _make(self, config: NodeConfig) -> WatchedEstimator:
        self.estimator.configs.append(config)
        time.sleep(self.load_s)
        if self.failures:
            raise self.failures.pop()
        return self.estimator

    def _publisher(self, kind: type, topic: str) -> Any:  # noqa: ANN401
        return self.neighbour.create_publisher(kind, topic, 10)

    def listen(self, kind: type, topic: str, qos: object = 10) -> list[Any]:
        """Collect a topic's messages; what other nodes diagnose is left out."""
        found = self.got.setdefault(topic, [])
        ours = self.node.get_fully_qualified_name()

        def keep(message: Any) -> None:  # noqa: ANN401
            if topic != "/diagnostics" or message.status[0].hardware_id == ours:
                found.append(message)

        self.neighbour.create_subscription(kind, topic, keep, qos)
        return found

    def start(self) -> "Rig":
        assert self.node.trigger_configure() == SUCCESS
        return self.activate()

    def activate(self) -> "Rig":
        assert self.node.trigger_activate() == SUCCESS
        self.until(self.connected)
        return self

    def connected(self) -> bool:
        heard = all(publisher.get_subscription_count() for publisher in self.inputs.values())
        speaks = all(self.neighbour.count_publishers(topic) for topic in ("hands", "objects"))
        inputs = self.node._inputs
        hears = inputs is not None and all(t.publishers for t in inputs.topics().values())
        return heard and speaks and hears

    def until(self, condition: Callable[[], Any], timeout_s: float = 20.0) -> None:
        """Spin until the condition holds."""
        end = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < end, f"timed out; diagnostics: {self.verdicts()}"
            self.executor.spin_once(timeout_sec=0.02)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def shot(self) -> Shot:
        return Shot(self.node.get_clock().now().nanoseconds)

    def send(self, shot: Shot | None = None) -> int:
        """Publish a moment, the image when its partners have arrived; returns its stamp."""
        shot = shot or self.shot()
        for name in ("info", "depth", "boxes"):
            if getattr(shot, name) is not None and self.node._inputs is not None:
                self.deliver(name, getattr(shot, name))
        self.inputs["image"].publish(shot.image)
        self.spin(0.05)
        return shot.stamp

    def deliver(self, name: str, message: Any) -> None:  # noqa: ANN401
        """Publish until it is there."""
        inputs, worker = self.node._inputs, self.node._worker
        assert inputs is not None
        assert worker is not None
        pairing, stamp = worker._pairing, stamp_of(message.header)
        arrived: dict[str, Callable[[], object]] = {
            "info": lambda: inputs.info is not None and stamp_of(inputs.info.header) == stamp,
            "depth": lambda: pairing.depth.nearest(stamp, 0),
            "boxes": lambda: pairing.detections.nearest(stamp, 0),
        }
        while not arrived[name]():
            self.inputs[name].publish(message)
            self.spin(0.02)

    def stamps(self, topic: str = "hands") -> list[int]:
        return [stamp_of(message.header) for message in self.got[topic]]

    def answer(self, shot: Shot | None = None) -> HandPoseArray:
        """Send a moment and wait for its hands."""
        stamp = self.send(shot)
        self.until(lambda: stamp in self.stamps() and stamp in self.stamps("objects"))
        return self.got["hands"][self.stamps().index(stamp)]

    def verdicts(self) -> dict[str, tuple[bytes, str]]:
        """The latest diagnostics, by name; nothing for what is not among them."""
        latest = self.got["/diagnostics"][-1].status if self.got["/diagnostics"] else []
        found = {s.name.rpartition(": ")[2]: (s.level, s.message) for s in latest}
        return defaultdict(lambda: (b"", ""), found)

    def said(self, name: str, text: str) -> list[bytes]:
        """The levels at which a status has said this so far."""
        return [
            status.level
            for message in self.got["/diagnostics"]
            for status in message.status
            if status.name.endswith(f": {name}") and text in status.message
        ]

    def drops(self) -> Counter[str]:
        """The drop counts of the latest diagnostics."""
        found: Counter[str] = Counter()
        for status in self.got["/diagnostics"][-1].status if self.got["/diagnostics"] else []:
            for value in status.values:
                if value.key.startswith("dropped: ") and int(value.value):
                    found[value.key.removeprefix("dropped: ")] = int(value.value)
        return found

    def close(self) -> None:
        self.estimator.gate.set()
        self.node.close()
        self.executor.shutdown()


def new_context() -> Context:
    """An initialised context."""
    context = Context()
    rclpy.init(context=context)
    return context
