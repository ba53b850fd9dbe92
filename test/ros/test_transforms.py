"""Frames: names, parents, and silence about what is not known."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.conventions import JOINT_NAMES
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, Frame
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.sensor_messages import header_at
from hoisdf_ros.ros.transforms import tf_message

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480, "optical")
HEADER = header_at(1_000_000_001, "optical")
ALL = NodeConfig(publish_joint_tf=True, publish_grasp_tf=True)


@pytest.fixture
def estimate() -> Estimate:
    depth = np.ones((480, 640), np.float32)
    boxes = tuple(Detection(side, Box(1, 1, 9, 9)) for side in ("left_hand", "right_hand"))
    return ConstantEstimator()(Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth, boxes))


def names(estimate: Estimate, config: NodeConfig) -> list[str]:
    return [t.child_frame_id for t in tf_message(HEADER, estimate, config).transforms]


def test_hands_and_objects_are_children_of_the_image_frame_at_its_stamp(
    estimate: Estimate,
) -> None:
    found = tf_message(HEADER, estimate, NodeConfig()).transforms
    assert names(estimate, NodeConfig()) == ["hand_0", "hand_1", "object_0", "object_1"]
    assert all(transform.header == HEADER for transform in found)
    assert np.isclose(found[0].transform.translation.z, 0.5)


def test_joints_and_grasps_come_when_asked_for(estimate: Estimate) -> None:
    found = names(estimate, ALL)
    assert {f"{joint.lower()}_1" for joint in JOINT_NAMES} < set(found)
    assert {"grasp_0", "grasp_1", "hand_0", "object_0"} < set(found)
    assert len(found) == len(set(found)) == 2 * (1 + 21 + 1) + 2


def test_the_grasp_is_midway_between_thumb_and_index_tip(estimate: Estimate) -> None:
    transforms = tf_message(HEADER, estimate, ALL).transforms
    grasp = next(t for t in transforms if t.child_frame_id == "grasp_0").transform.translation
    joints = estimate.hands[0].joints
    assert np.allclose([grasp.x, grasp.y, grasp.z], (joints[4] + joints[8]) / 2)


def test_joints_that_are_not_valid_have_no_frame(estimate: Estimate) -> None:
    joints = estimate.hands[0].joints.copy()
    joints[8] = np.nan
    found = names(Estimate((replace(estimate.hands[0], joints=joints),)), ALL)
    assert "index_tip_0" not in found
    assert "grasp_0" not in found
    assert "index_dip_0" in found


def test_switched_off_means_nothing(estimate: Estimate) -> None:
    assert names(estimate, NodeConfig(publish_tf=False)) == []
    assert names(Estimate(), ALL) == []


def test_the_prefix_comes_first(estimate: Estimate) -> None:
    config = NodeConfig(tf_prefix="left_arm/")
    assert names(estimate, config)[0] == "left_arm/hand_0"
