"""Markers: shapes RViz accepts, and deletion when a hand or object is lost."""

from dataclasses import replace

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from visualization_msgs.msg import Marker, MarkerArray

from hoisdf_ros.conventions import NUM_FACES, Side
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, Frame
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.estimate_messages import ObjectModel
from hoisdf_ros.ros.markers import BONES_NS, HAND_NAMESPACES, JOINTS, MESH, OBJECT, MarkerMaker
from hoisdf_ros.ros.sensor_messages import header_at

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480, "optical")
MS = 1_000_000
MODELS = {"cube": ObjectModel("file:///cube.obj", np.zeros(3))}


@pytest.fixture
def maker() -> MarkerMaker:
    faces = ConstantEstimator().faces
    return MarkerMaker({side: faces(side) for side in (Side.LEFT, Side.RIGHT)})


@pytest.fixture
def estimate() -> Estimate:
    depth = np.ones((480, 640), np.float32)
    boxes = (Detection("right_hand", Box(1, 1, 9, 9)),)
    return ConstantEstimator()(Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth, boxes))


def made(maker: MarkerMaker, estimate: Estimate, at_ms: int = 0) -> dict[str, Marker]:
    header = header_at(at_ms * MS, "optical")
    arrays = [maker(header, estimate, MODELS, 300 * MS)]
    arrays += [deserialize_message(data, MarkerArray) for data in maker.surfaces(header, estimate)]
    return {marker.ns: marker for array in arrays for marker in array.markers}


def test_a_hand_is_spheres_bones_and_triangles(maker: MarkerMaker, estimate: Estimate) -> None:
    markers = made(maker, estimate)
    assert markers[JOINTS].type == Marker.SPHERE_LIST
    assert len(markers[JOINTS].points) == 21
    assert markers[BONES_NS].type == Marker.LINE_LIST
    assert len(markers[BONES_NS].points) == 2 * 20
    assert markers[MESH].type == Marker.TRIANGLE_LIST
    assert len(markers[MESH].points) == 3 * NUM_FACES
    for namespace in HAND_NAMESPACES:
        assert markers[namespace].action == Marker.ADD
        assert markers[namespace].scale.x > 0
        assert markers[namespace].pose.orientation.w == 1
        assert markers[namespace].lifetime.nanosec == 500 * MS
        assert markers[namespace].header.frame_id == "optical"


def test_triangles_are_the_vertices_in_the_order_of_the_faces(
    maker: MarkerMaker, estimate: Estimate
) -> None:
    points = [[p.x, p.y, p.z] for p in made(maker, estimate)[MESH].points]
    faces = ConstantEstimator().faces(Side.RIGHT)
    assert np.allclose(points, estimate.hands[0].vertices[faces].reshape(-1, 3))


def test_a_surface_made_from_bytes_says_what_a_message_would(
    maker: MarkerMaker, estimate: Estimate
) -> None:
    hand = replace(estimate.hands[0], id=-77)
    first = made(maker, estimate, at_ms=1000)[MESH]
    second = made(maker, Estimate((hand,)), at_ms=2345)[MESH]
    assert (second.id, second.header.stamp.sec, second.header.stamp.nanosec) == (-77, 2, 345 * MS)
    second.id, second.header.stamp = first.id, first.header.stamp
    assert second == first
    other = maker.surfaces(header_at(0, "elsewhere"), estimate)[0]
    assert deserialize_message(other, MarkerArray).markers[0].header.frame_id == "elsewhere"


def test_an_object_is_its_mesh_file(maker: MarkerMaker, estimate: Estimate) -> None:
    marker = made(maker, estimate)[OBJECT]
    assert marker.type == Marker.MESH_RESOURCE
    assert marker.mesh_resource == "file:///cube.obj"
    assert marker.mesh_use_embedded_materials
    assert np.isclose(marker.pose.position.y, -0.1)


def test_an_object_without_a_file_has_no_marker(maker: MarkerMaker, estimate: Estimate) -> None:
    models = {"cube": ObjectModel("", np.zeros(3))}
    array = maker(header_at(0, "optical"), estimate, models, 300 * MS)
    assert OBJECT not in {marker.ns for marker in array.markers}


def test_joints_that_are_not_valid_are_left_out_with_their_bones(
    maker: MarkerMaker, estimate: Estimate
) -> None:
    joints = estimate.hands[0].joints.copy()
    joints[6] = np.nan
    markers = made(maker, Estimate((replace(estimate.hands[0], joints=joints),)))
    assert len(markers[JOINTS].points) == 20
    assert len(markers[BONES_NS].points) == 2 * 18


def test_what_is_lost_is_deleted_once_after_the_timeout(
    maker: MarkerMaker, estimate: Estimate
) -> None:
    made(maker, estimate, at_ms=1000)
    assert made(maker, Estimate(), at_ms=1300) == {}
    gone = made(maker, Estimate(), at_ms=1301)
    assert set(gone) == {*HAND_NAMESPACES, OBJECT}
    assert {marker.action for marker in gone.values()} == {Marker.DELETE}
    assert made(maker, Estimate(), at_ms=1400) == {}


def test_what_is_seen_again_in_time_stays(maker: MarkerMaker, estimate: Estimate) -> None:
    for at_ms in (0, 250, 500):
        markers = made(maker, estimate, at_ms)
        assert {marker.action for marker in markers.values()} == {Marker.ADD}


def test_a_recording_that_starts_over_leaves_no_ghosts(
    maker: MarkerMaker, estimate: Estimate
) -> None:
    made(maker, estimate, at_ms=60_000)
    assert {marker.action for marker in made(maker, Estimate(), 0).values()} == {Marker.DELETE}
