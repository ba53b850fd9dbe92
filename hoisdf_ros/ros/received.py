"""Results as a subscriber gets them: the way back of `estimate_messages`."""

from collections.abc import Iterable

import numpy as np
from geometry_msgs.msg import PoseWithCovariance
from sensor_msgs.msg import RegionOfInterest

from hoisdf_ros.conventions import NUM_VERTICES, NameSource, RootSource, Side
from hoisdf_ros.datatypes import (
    Array,
    Box,
    Estimate,
    HandEstimate,
    ManoParameters,
    Mesh,
    Naming,
    ObjectEstimate,
    Root,
)
from hoisdf_ros.geometry.rotation import matrix_from_quaternion_xyzw
from hoisdf_ros.msg import HandMesh, HandPose, HandPoseArray, HeldObject, HeldObjectArray

_NOWHERE = Box(-1.0, -1.0, 0.0, 0.0)


def estimate_of(
    hands: HandPoseArray, objects: HeldObjectArray, meshes: Iterable[HandMesh] = ()
) -> Estimate:
    """The estimate that messages of one stamp were made from.

    Args:
        hands: All hands.
        objects: All objects.
        meshes: Surfaces of the hands; without one a hand's vertices are NaN.
    """
    vertices = {mesh.id: np.reshape(mesh.vertices, (-1, 3)).astype(float) for mesh in meshes}
    missing = np.full((NUM_VERTICES, 3), np.nan)
    return Estimate(
        tuple(_hand(hand, vertices.get(hand.id, missing)) for hand in hands.hands),
        tuple(_object(held) for held in objects.objects),
    )


def _hand(msg: HandPose, vertices: Array) -> HandEstimate:
    rotation, _ = _pose(msg.wrist)
    joints = np.array([[point.x, point.y, point.z] for point in msg.joints])
    covariance = np.reshape(msg.wrist.covariance, (6, 6))[:3, :3]
    if msg.wrist.covariance[0] < 0:
        covariance = np.full((3, 3), np.nan)
    at = msg.mano_translation
    translation = np.array([at.x, at.y, at.z])
    orient, pose, betas = (
        np.array(values, dtype=float) for values in (msg.mano_orient, msg.mano_pose, msg.mano_betas)
    )
    return HandEstimate(
        id=msg.id,
        side=Side(msg.side),
        side_score=msg.side_score,
        score=msg.score,
        joints=joints,
        joint_stddev=np.array(msg.joint_stddev, dtype=float),
        joints_uv=np.reshape(msg.joints_uv, (21, 2)).astype(float),
        vertices=vertices,
        wrist_rotation=rotation,
        mano=ManoParameters(orient, pose, betas, translation),
        root=Root(joints[0], covariance, RootSource(msg.root_source)),
        roi=_box(msg.roi),
    )


def _object(msg: HeldObject) -> ObjectEstimate:
    rotation, translation = _pose(msg.pose)
    known = msg.pose.covariance[0] >= 0
    return ObjectEstimate(
        id=msg.id,
        object_id=msg.object_id,
        hand_id=msg.hand_id,
        score=msg.score,
        rotation=rotation,
        translation=translation,
        covariance=np.reshape(msg.pose.covariance, (6, 6)) if known else None,
        size=np.array([msg.size.x, msg.size.y, msg.size.z]),
        min_hand_distance=msg.min_hand_distance,
        joint_contact=np.array(msg.joint_contact, dtype=bool),
        roi=_NOWHERE,  # not in the message
        naming=Naming(
            NameSource(msg.name_source),
            msg.name_score,
            msg.runner_up_id,
            msg.runner_up_score,
            msg.held_score,
        ),
        surface=_surface(msg),
    )


def _surface(msg: HeldObject) -> Mesh | None:
    if not len(msg.surface_vertices):
        return None
    vertices = np.reshape(msg.surface_vertices, (-1, 3)).astype(float)
    return Mesh(vertices, np.reshape(msg.surface_triangles, (-1, 3)).astype(np.int32))


def _pose(msg: PoseWithCovariance) -> tuple[Array, Array]:
    """(3, 3) rotation and (3,) metres."""
    q, p = msg.pose.orientation, msg.pose.position
    return matrix_from_quaternion_xyzw([q.x, q.y, q.z, q.w]), np.array([p.x, p.y, p.z])


def _box(roi: RegionOfInterest) -> Box:
    """An empty region is nowhere in the image."""
    if not roi.width or not roi.height:
        return _NOWHERE
    x, y = float(roi.x_offset), float(roi.y_offset)
    return Box(x, y, x + roi.width, y + roi.height)
