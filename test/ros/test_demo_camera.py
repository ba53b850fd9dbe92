"""The demo camera: everything of one moment under one stamp, and true."""

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("moderngl")

from hoisdf_ros.ros.demo_camera import CAMERA, TOPICS, WORLD, DemoCameraConfig, static_transform
from hoisdf_ros.ros.frames import frame_from_messages
from hoisdf_ros.ros.pairing import Paired
from hoisdf_ros.ros.received import estimate_of
from hoisdf_ros.ros.sensor_messages import stamp_of

DemoSource = Any  # of that name in demo_camera, from the fixture
STAMP = 7_000_000_123
TIME_S = 2.0


@pytest.fixture(scope="module")
def moment(demo_source: DemoSource) -> dict[str, Any]:
    return dict(demo_source.messages(TIME_S, STAMP))


def test_every_topic_comes_in_order_with_its_type(moment: dict[str, Any]) -> None:
    assert list(moment) == list(TOPICS)
    assert list(moment)[-1] == "image"
    assert {topic: type(message) for topic, message in moment.items()} == dict(TOPICS)


def test_all_have_the_same_header(moment: dict[str, Any]) -> None:
    for message in moment.values():
        assert stamp_of(message.header) == STAMP
        assert message.header.frame_id == CAMERA.frame_id


def test_the_node_can_use_it(moment: dict[str, Any]) -> None:
    paired = Paired(STAMP, moment["image"], moment["depth"], moment["detections"])
    frame, problems = frame_from_messages(paired, moment["camera_info"])
    assert problems == ()
    assert frame.camera == CAMERA
    assert len(frame.detections) == 2


def test_the_truth_is_that_of_the_scene(demo_source: DemoSource, moment: dict[str, Any]) -> None:
    state = demo_source.scene.at(TIME_S)
    truth = estimate_of(moment["ground_truth/hands"], moment["ground_truth/objects"])
    (hand,), (held,) = truth.hands, truth.objects
    assert hand.side is state.hands[0].side
    assert np.allclose(hand.joints, state.hands[0].joints)
    assert held.object_id == state.objects[0].object_id
    assert np.allclose(held.translation, state.objects[0].translation)
    assert held.covariance is not None
    assert not held.covariance.any()


def test_the_truth_knows_that_the_hand_holds_the_object(moment: dict[str, Any]) -> None:
    (held,) = moment["ground_truth/objects"].objects
    assert -0.01 < held.min_hand_distance < 0.005
    assert any(held.joint_contact)


def test_boxes_are_not_sent_unless_asked_for(demo_source: DemoSource) -> None:
    quiet = copy(demo_source)
    quiet.config = DemoCameraConfig()
    assert "detections" not in dict(quiet.messages(TIME_S, STAMP))


def test_the_camera_looks_along_the_world_s_x_with_its_y_downwards() -> None:
    (transform,) = static_transform(STAMP, replace(CAMERA, frame_id="demo")).transforms
    assert (transform.header.frame_id, transform.child_frame_id) == (WORLD, "demo")
    q = transform.transform.rotation
    assert np.allclose([q.x, q.y, q.z, q.w], [-0.5, 0.5, -0.5, 0.5])
