"""Estimates survive the way into messages, through the wire format and back."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hoisdf_ros.msg import HandFaces, HandMeshArray, HandPoseArray, HeldObjectArray
from rclpy.serialization import deserialize_message, serialize_message
from vision_msgs.msg import Detection3DArray

from hoisdf_ros.conventions import NUM_FACES, NUM_VERTICES, RootSource, Side
from hoisdf_ros.datatypes import (
    Box,
    Camera,
    Detection,
    Estimate,
    Frame,
    HandEstimate,
    ObjectEstimate,
    Root,
)
from hoisdf_ros.geometry.rotation import (
    matrix_from_quaternion_xyzw,
    matrix_from_rotation_vector,
)
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.estimate_messages import (
    UNKNOWN_MODEL,
    ObjectModel,
    detection_3d_array,
    hand_faces,
    hand_mesh_array,
    hand_pose_array,
    held_object_array,
)
from hoisdf_ros.ros.sensor_messages import header_at

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480, "optical")
HEADER = header_at(1_700_000_000_000_000_001, "optical")
ROTATION = matrix_from_rotation_vector([0.3, -0.8, 0.5])
MODELS = {"cube": ObjectModel("file:///cube.obj", np.array([0.0, 0.02, 0.0]))}


def estimate() -> Estimate:
    """What a careless core might hand over: float32 and NumPy scalars everywhere."""
    frame = Frame(
        np.zeros((480, 640, 3), np.uint8),
        CAMERA,
        np.ones((480, 640), np.float32),
        (Detection("right_hand", Box(1, 1, 9, 9)),),
    )
    found = ConstantEstimator()(frame)
    rng = np.random.default_rng(0)
    numpy_scalars: dict[str, Any] = {"id": np.int64(7), "score": np.float32(0.75)}
    hand = replace(
        found.hands[0],
        **numpy_scalars,
        joints=rng.uniform(-1, 1, (21, 3)).astype(np.float32),
        joint_stddev=rng.uniform(0, 0.01, 21),
        vertices=rng.uniform(-1, 1, (NUM_VERTICES, 3)).astype(np.float32),
        wrist_rotation=ROTATION,
        root=Root(np.zeros(3), np.diag([1e-6, 2e-6, 4e-4]), RootSource.DEPTH),
    )
    numpy_scalars = {"id": np.int32(3), "hand_id": np.int64(7), "score": np.float32(0.5)}
    numpy_scalars["min_hand_distance"] = np.float32(-0.001)
    held = replace(
        found.objects[0],
        **numpy_scalars,
        rotation=ROTATION,
        translation=np.array([0.1, -0.2, 0.5], np.float32),
        joint_contact=np.arange(21) % 3 == 0,
    )
    return Estimate((hand,), (held,))


@pytest.fixture
def hand() -> HandEstimate:
    return estimate().hands[0]


@pytest.fixture
def held() -> ObjectEstimate:
    return estimate().objects[0]


def test_a_hand_survives_the_wire(hand: HandEstimate) -> None:
    sent = hand_pose_array(HEADER, [hand], CAMERA)
    received = deserialize_message(serialize_message(sent), HandPoseArray)
    assert received.header == HEADER
    (msg,) = received.hands
    assert (msg.id, msg.side, msg.score, msg.flat_hand_mean) == (7, Side.RIGHT, 0.75, True)
    assert np.allclose([[p.x, p.y, p.z] for p in msg.joints], hand.joints)
    assert np.allclose(msg.joint_stddev, hand.joint_stddev)
    assert np.allclose(np.reshape(msg.joints_uv, (21, 2)), hand.joints_uv, rtol=1e-6)
    assert msg.root_source == RootSource.DEPTH
    q = msg.wrist.pose.orientation
    assert np.allclose(matrix_from_quaternion_xyzw([q.x, q.y, q.z, q.w]), ROTATION)
    assert np.allclose(msg.mano_translation.z, 0.5)
    assert (len(msg.mano_orient), len(msg.mano_pose), len(msg.mano_betas)) == (3, 45, 10)


def test_joints_that_are_not_valid_stay_nan(hand: HandEstimate) -> None:
    joints = hand.joints.copy()
    joints[4] = np.nan
    (msg,) = hand_pose_array(HEADER, [replace(hand, joints=joints)], CAMERA).hands
    assert np.isnan([msg.joints[4].x, msg.joints[4].y, msg.joints[4].z]).all()
    assert np.isfinite(msg.joints[5].x)


def test_the_wrist_says_what_it_knows_of_its_covariance(hand: HandEstimate) -> None:
    (msg,) = hand_pose_array(HEADER, [hand], CAMERA).hands
    covariance = np.reshape(msg.wrist.covariance, (6, 6))
    assert np.allclose(covariance[:3, :3], hand.root.covariance)
    assert covariance[3, 3] == -1

    unknown = replace(hand, root=replace(hand.root, covariance=np.full((3, 3), np.nan)))
    (msg,) = hand_pose_array(HEADER, [unknown], CAMERA).hands
    assert msg.wrist.covariance[0] == -1
    assert np.isfinite(msg.wrist.covariance).all()


@pytest.mark.parametrize(
    ("box", "region"),
    [
        (Box(10.2, 20.9, 30.1, 40.0), (10, 20, 21, 20)),
        (Box(-50.0, -10.0, 30.0, 40.0), (0, 0, 30, 40)),
        (Box(600.0, 400.0, 700.0, 500.0), (600, 400, 40, 80)),
        (Box(-50.0, 500.0, -20.0, 600.0), (0, 480, 0, 0)),
    ],
)
def test_the_region_is_the_part_of_the_box_in_the_image(
    hand: HandEstimate, box: Box, region: tuple[int, int, int, int]
) -> None:
    (msg,) = hand_pose_array(HEADER, [replace(hand, roi=box)], CAMERA).hands
    found = (msg.roi.x_offset, msg.roi.y_offset, msg.roi.width, msg.roi.height)
    assert found == region


def test_an_object_survives_the_wire(held: ObjectEstimate) -> None:
    sent = held_object_array(HEADER, [held], MODELS)
    (msg,) = deserialize_message(serialize_message(sent), HeldObjectArray).objects
    assert (msg.id, msg.object_id, msg.hand_id, msg.score) == (3, "cube", 7, 0.5)
    assert msg.mesh_resource == "file:///cube.obj"
    position = msg.pose.pose.position
    assert np.allclose([position.x, position.y, position.z], held.translation)
    assert np.isclose(msg.min_hand_distance, -0.001)
    assert np.array_equal(msg.joint_contact, held.joint_contact)
    assert msg.pose.covariance[0] == -1


def test_a_known_object_covariance_is_kept(held: ObjectEstimate) -> None:
    covariance = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) * 1e-4
    (msg,) = held_object_array(HEADER, [replace(held, covariance=covariance)], MODELS).objects
    assert np.allclose(np.reshape(msg.pose.covariance, (6, 6)), covariance)


def test_the_3d_box_sits_at_the_middle_of_the_mesh(held: ObjectEstimate) -> None:
    sent = detection_3d_array(HEADER, [held], MODELS)
    received = deserialize_message(serialize_message(sent), Detection3DArray)
    (msg,) = received.detections
    assert received.header == msg.header == HEADER
    (result,) = msg.results
    assert (result.hypothesis.class_id, result.hypothesis.score) == ("cube", 0.5)
    origin, center = result.pose.pose.position, msg.bbox.center.position
    offset = np.array([center.x - origin.x, center.y - origin.y, center.z - origin.z])
    assert np.allclose(offset, ROTATION @ MODELS["cube"].center)
    assert np.isclose(msg.bbox.size.x, 0.05)


def test_an_object_without_a_known_mesh_has_a_pose_but_no_box(held: ObjectEstimate) -> None:
    unknown = replace(held, size=np.full(3, np.nan), min_hand_distance=float("nan"))
    models = {"cube": UNKNOWN_MODEL}
    (msg,) = held_object_array(HEADER, [unknown], models).objects
    assert (msg.object_id, msg.mesh_resource) == ("cube", "")
    assert np.isnan([msg.size.x, msg.min_hand_distance]).all()
    assert detection_3d_array(HEADER, [unknown], models).detections == []


def test_meshes_are_flat_vertices_and_faces_their_triangles(hand: HandEstimate) -> None:
    sent = hand_mesh_array(HEADER, [hand])
    (mesh,) = deserialize_message(serialize_message(sent), HandMeshArray).meshes
    assert np.array_equal(np.reshape(mesh.vertices, (NUM_VERTICES, 3)), hand.vertices)

    faces = ConstantEstimator().faces(Side.LEFT)
    msg = deserialize_message(serialize_message(hand_faces(Side.LEFT, faces)), HandFaces)
    assert msg.side == Side.LEFT
    assert np.array_equal(np.reshape(msg.triangles, (NUM_FACES, 3)), faces)


def test_nothing_seen_is_an_empty_array_under_the_image_header() -> None:
    assert hand_pose_array(HEADER, [], CAMERA) == HandPoseArray(header=HEADER)
    assert held_object_array(HEADER, [], {}) == HeldObjectArray(header=HEADER)
    assert detection_3d_array(HEADER, [], {}) == Detection3DArray(header=HEADER)
