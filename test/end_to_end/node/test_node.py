"""The node as its neighbours see it: topics in, topics out, transitions."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hoisdf_ros.msg import HandFaces, HandMeshArray
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection3DArray
from visualization_msgs.msg import MarkerArray

from hoisdf_ros.errors import CheckpointError, MeshError
from hoisdf_ros.ros.health import SUPERSEDED
from hoisdf_ros.ros.sensor_messages import detections_message

Rig = Any  # the class of that name in rig.py
Tools = Any  # that module
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def test_a_result_has_the_stamp_and_frame_of_its_image(rig: Rig, tools: Tools) -> None:
    shot = rig.shot()
    hands = rig.answer(shot)
    assert hands.header == shot.image.header
    assert len(hands.hands) == 1
    objects = rig.got["objects"][-1]
    assert objects.header == shot.image.header
    assert objects.objects[0].hand_id == hands.hands[0].id
    (frame,) = rig.estimator.frames
    assert frame.camera == tools.CAMERA
    assert frame.detections == (tools.BOX,)
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
    spaces = {"hand_joints", "hand_bones", "hand_mesh"}
    rig.until(lambda: {m.ns for array in late["markers"] for m in array.markers} == spaces)
    assert (late["debug_image"][0].width, late["debug_image"][0].encoding) == (64, "rgb8")


def test_an_object_the_core_has_no_mesh_of_is_published_all_the_same(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(object_id: str) -> None:
        raise MeshError(f"object '{object_id}': not in the library")

    monkeypatch.setattr(rig.estimator, "object_mesh", unknown)
    rig.answer()
    assert rig.got["objects"][-1].objects[0].mesh_resource == ""


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


def test_a_core_that_cannot_be_loaded_is_explained_once_and_may_be_tried_again(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(RcutilsLogger, "error", lambda _, text: logged.append(text))
    rig = make_rig(weights="x.pth")
    rig.failures = [ValueError("surprise"), CheckpointError("x.pth: expected preset 'ho3d'")]
    assert rig.node.trigger_configure() == FAILURE
    rig.until(lambda: "x.pth: expected preset 'ho3d'" in rig.verdicts()["model"][1])
    assert rig.node.trigger_configure() == FAILURE
    rig.until(lambda: "ValueError: surprise" in rig.verdicts()["model"][1])
    name = rig.node.get_fully_qualified_name()
    then = f"Then: ros2 lifecycle set {name} configure, or start the node again"
    assert logged == [
        f"cannot configure: x.pth: expected preset 'ho3d'. {then}",
        f"cannot configure: ValueError: surprise. {then}",
    ]
    rig.start()
    assert len(rig.answer().hands) == 1
    assert {config.weights for config in rig.estimator.configs} == {"x.pth"}


def test_an_object_the_core_has_no_mesh_of_is_refused_when_it_is_set(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(object_id: str) -> None:
        raise MeshError(f"object '{object_id}': expected cube")

    rig = make_rig(object_id="cap")
    monkeypatch.setattr(rig.estimator, "object_mesh", unknown)
    assert rig.node.trigger_configure() == FAILURE
    rig.until(lambda: "cannot configure: object 'cap': expected cube" in rig.verdicts()["model"][1])
    (result,) = rig.node.set_parameters([Parameter("object_id", value="")])
    assert result.successful
    rig.start()
    (result,) = rig.node.set_parameters([Parameter("object_id", value="cup")])
    assert result.reason == "object 'cup': expected cube"


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
