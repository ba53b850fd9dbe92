"""The node as its neighbours see it: topics in, topics out, transitions, refusals."""

import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("rclpy")
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from hoisdf_ros.msg import HandFaces, HandMeshArray, HandPoseArray, HeldObjectArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray, Detection3DArray
from visualization_msgs.msg import MarkerArray

from hoisdf_ros.config import EstimatorConfig, NodeConfig
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, Frame
from hoisdf_ros.errors import CheckpointError
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.health import SUPERSEDED
from hoisdf_ros.ros.node import HandObjectNode
from hoisdf_ros.ros.received import stamp_of
from hoisdf_ros.ros.sensor_messages import (
    camera_info_message,
    depth_message,
    detections_message,
    header_at,
    image_message,
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


@pytest.fixture
def make_rig() -> Iterator[Callable[..., Rig]]:
    """Builds rigs in a context of their own."""
    context = Context()
    rclpy.init(context=context)
    rigs: list[Rig] = []

    def make(**parameters: object) -> Rig:
        rigs.append(Rig(context, **parameters))  # type: ignore[arg-type]
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()
    context.try_shutdown()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """An active node."""
    return make_rig().start()


def test_a_result_has_the_stamp_and_frame_of_its_image(rig: Rig) -> None:
    shot = rig.shot()
    hands = rig.answer(shot)
    assert hands.header == shot.image.header
    assert len(hands.hands) == 1
    objects = rig.got["objects"][-1]
    assert objects.header == shot.image.header
    assert objects.objects[0].hand_id == hands.hands[0].id
    (frame,) = rig.estimator.frames
    assert frame.camera == CAMERA
    assert frame.detections == (BOX,)
    assert frame.depth is not None
    assert (frame.image == 9).all()


def test_frames_are_broadcast_at_the_stamp_of_the_image(rig: Rig) -> None:
    frames = rig.listen(TFMessage, "/tf", QoSProfile(depth=100))
    rig.until(lambda: rig.neighbour.count_publishers("/tf"))
    hands = rig.answer()
    rig.until(lambda: any(t.header == hands.header for m in frames for t in m.transforms))
    ours = [t for m in frames for t in m.transforms if t.header == hands.header]
    assert [transform.child_frame_id for transform in ours] == ["hand_0", "object_0"]


def test_when_nothing_is_seen_the_arrays_are_empty_and_no_frame_is_sent(rig: Rig) -> None:
    frames = rig.listen(TFMessage, "/tf", QoSProfile(depth=100))
    shot = rig.shot()
    shot.boxes = detections_message(shot.image.header, [])
    assert rig.answer(shot).hands == []
    assert rig.got["objects"][-1].objects == []
    rig.spin(0.1)
    assert not any(t.header == shot.image.header for m in frames for t in m.transforms)


@pytest.mark.parametrize(
    ("missing", "part", "reason"),
    [("depth", "sync", "no hand can be placed"), ("boxes", "tracking", "no detections")],
)
def test_an_image_alone_is_answered_and_the_diagnostics_say_what_is_missing(
    rig: Rig, missing: str, part: str, reason: str
) -> None:
    shot = rig.shot()
    setattr(shot, missing, None)
    assert rig.answer(shot).hands == []
    rig.until(lambda: b"\x01" in rig.said(part, reason))


def test_while_one_image_is_estimated_the_newest_of_the_others_waits(rig: Rig) -> None:
    rig.estimator.gate.clear()
    first = rig.send()
    rig.until(lambda: rig.estimator.frames)
    last = [rig.send() for _ in range(4)][-1]
    rig.estimator.gate.set()
    rig.until(lambda: len(rig.stamps()) == 2)
    assert rig.stamps() == [first, last]
    rig.until(lambda: rig.drops() == {SUPERSEDED: 3})


def test_costly_topics_are_published_only_while_somebody_listens(rig: Rig) -> None:
    rig.answer()
    late = {
        topic: rig.listen(kind, topic, qos)
        for topic, kind, qos in (
            ("hand_meshes", HandMeshArray, 2),
            ("markers", MarkerArray, 2),
            ("detections_3d", Detection3DArray, 10),
            ("debug_image", Image, qos_profile_sensor_data),
        )
    }
    rig.until(lambda: all(rig.neighbour.count_publishers(topic) for topic in late))
    rig.spin(0.2)
    assert not any(late.values())
    stamp = rig.answer().header.stamp
    rig.until(lambda: all(late.values()))
    assert late["hand_meshes"][0].header.stamp == stamp
    assert late["detections_3d"][0].detections[0].results[0].hypothesis.class_id == "cube"
    assert {m.ns for m in late["markers"][0].markers} == {"hand_joints", "hand_bones", "hand_mesh"}
    assert (late["debug_image"][0].width, late["debug_image"][0].encoding) == (64, "rgb8")


def test_the_faces_of_both_sides_reach_those_who_come_late(rig: Rig) -> None:
    latched = QoSProfile(depth=2, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    faces = rig.listen(HandFaces, "hand_faces", latched)
    rig.until(lambda: len(faces) == 2)
    assert {message.side for message in faces} == {1, 2}


def test_the_life_cycle(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.spin(0.5)
    name = rig.node.get_fully_qualified_name()
    assert f"ros2 lifecycle set {name} configure" in rig.verdicts()["model"][1]
    rig.start()
    rig.answer()
    assert rig.node.trigger_deactivate() == SUCCESS
    rig.until(lambda: rig.inputs["image"].get_subscription_count() == 0)
    answered = len(rig.stamps())
    rig.send()
    rig.spin(0.3)
    assert len(rig.stamps()) == answered
    rig.activate()
    rig.answer()
    assert rig.node.trigger_deactivate() == SUCCESS
    assert rig.node.trigger_cleanup() == SUCCESS
    rig.until(lambda: list(rig.verdicts()) == ["model"])
    assert not rig.node.count_publishers(f"{rig.namespace}/hands")
    assert rig.node.trigger_shutdown() == SUCCESS


def test_autostart_needs_nobody(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(autostart=True)
    rig.until(rig.connected)
    assert len(rig.answer().hands) == 1


def test_a_core_that_cannot_be_loaded_is_explained_and_may_be_tried_again(
    make_rig: Callable[..., Rig],
) -> None:
    rig = make_rig(weights="x.pth")
    rig.failures = [ValueError("surprise"), CheckpointError("x.pth: expected preset 'ho3d'")]
    assert rig.node.trigger_configure() == FAILURE
    rig.until(lambda: "x.pth: expected preset 'ho3d'" in rig.verdicts()["model"][1])
    assert rig.node.trigger_configure() == FAILURE
    rig.until(lambda: "ValueError: surprise" in rig.verdicts()["model"][1])
    rig.start()
    assert len(rig.answer().hands) == 1
    assert {config.weights for config in rig.estimator.configs} == {"x.pth"}


def test_loading_is_reported_meanwhile(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.load_s = 0.7
    rig.start()
    rig.until(lambda: len(rig.verdicts()) > 1)
    models = [m.status[0].message for m in rig.got["/diagnostics"]]
    assert any("loading for" in message for message in models)


def test_a_live_parameter_reaches_the_core_before_its_next_image(rig: Rig) -> None:
    (result,) = rig.node.set_parameters([Parameter("max_hands", value=1)])
    assert result.successful
    rig.answer()
    assert rig.estimator.configs[-1].max_hands == 1


def test_reset_drops_the_tracks(rig: Rig) -> None:
    client = rig.neighbour.create_client(Trigger, "hoisdf_node/reset")
    rig.until(client.service_is_ready)
    future = client.call_async(Trigger.Request())
    rig.until(future.done)
    assert future.result().success
    rig.answer()
    assert rig.estimator.resets == 1


def test_compressed_images_are_understood(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(kind=CompressedImage, image_transport="compressed").start()
    shot = rig.shot()
    encoded = cv2.imencode(".png", np.full((48, 64, 3), 7, np.uint8))[1].tobytes()
    shot.image = CompressedImage(header=shot.image.header, format="png", data=encoded)
    assert len(rig.answer(shot).hands) == 1
    assert (rig.estimator.frames[0].image == 7).all()


def spoil(**changes: Any) -> Callable[[Shot], None]:  # noqa: ANN401
    """Sets attributes given as message__attribute."""

    def apply(shot: Shot) -> None:
        for name, value in changes.items():
            message, attribute = name.split("__")
            setattr(getattr(shot, message), attribute, value)

    return apply


def no_info(shot: Shot) -> None:
    shot.info = None


def other_frame(shot: Shot) -> None:
    assert shot.info is not None
    shot.info.header = header_at(shot.stamp, "elsewhere")


def hour_old(shot: Shot) -> None:
    shot.__dict__.update(Shot(shot.stamp - 3600 * 10**9).__dict__)


BAD = {
    "unknown encoding": (spoil(image__encoding="nv12"), "image", "'nv12'"),
    "short step": (spoil(image__step=64), "image", "step 64"),
    "wrong size": (spoil(image__height=49), "image", "64x49"),
    "truncated": (spoil(image__data=b"abc"), "image", "3 bytes"),
    "zero intrinsics": (spoil(info__k=np.zeros(9)), "camera_info", "calibrate"),
    "NaN intrinsics": (spoil(info__k=np.full(9, np.nan)), "camera_info", "nan"),
    "distortion": (spoil(info__d=[0.1, 0.0, 0.0, 0.0, 0.0]), "camera_info", "distortion"),
    "another size": (spoil(info__width=100), "camera_info", "100x48"),
    "another camera": (other_frame, "frame of camera_info", "'elsewhere'"),
    "no calibration": (no_info, "no camera_info", "is the driver running?"),
    "too old": (hour_old, "too old", "do the clocks"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_counted_explained_and_not_answered(rig: Rig, name: str) -> None:
    apply, reason, message = BAD[name]
    shot = rig.shot()
    apply(shot)
    rig.send(shot)
    rig.until(lambda: rig.drops()[reason] == 1)
    assert b"\x02" in rig.said("input", message)
    assert rig.stamps() == rig.stamps("objects") == []
    assert len(rig.answer().hands) == 1


def small_depth(shot: Shot) -> None:
    assert shot.depth is not None
    shot.depth = depth_message(shot.depth.header, np.ones((24, 32), np.float32))


def other_depth(shot: Shot) -> None:
    assert shot.depth is not None
    shot.depth.header = header_at(shot.stamp, "depth_optical")


@pytest.mark.parametrize(
    ("apply", "reason"),
    [
        (small_depth, "depth not registered"),
        (other_depth, "depth not registered"),
        (spoil(depth__encoding="8UC1"), "depth"),
        (spoil(depth__data=b""), "depth"),
    ],
)
def test_depth_that_does_not_fit_is_counted_and_no_hand_is_made_up(
    rig: Rig, apply: Callable[[Shot], None], reason: str
) -> None:
    shot = rig.shot()
    apply(shot)
    assert rig.answer(shot).hands == []
    rig.until(lambda: rig.drops()[reason] == 1)
    assert len(rig.answer().hands) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CheckpointError("not these weights"), "refused by the estimator"),
        (RuntimeError("out of memory"), "internal error"),
    ],
)
def test_a_core_that_fails_costs_one_image(rig: Rig, error: Exception, reason: str) -> None:
    rig.estimator.error = error
    rig.send()
    rig.until(lambda: rig.drops()[reason] == 1)
    assert rig.said("input", str(error))
    rig.estimator.error = None
    assert len(rig.answer().hands) == 1
