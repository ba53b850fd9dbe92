"""Estimates as messages.

Every scalar becomes a Python number here: rclpy does not check field types by default, and a
NumPy float32 in a float64 field publishes garbage. What is unknown stays unknown: NaN, or -1
as the first element of a covariance.
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion, Vector3
from numpy.typing import ArrayLike, NDArray
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header
from vision_msgs.msg import (
    BoundingBox3D,
    Detection3D,
    Detection3DArray,
    ObjectHypothesis,
    ObjectHypothesisWithPose,
)

from hoisdf_ros.conventions import WRIST, Side
from hoisdf_ros.datatypes import Array, Box, Camera, HandEstimate, Mesh, ObjectEstimate, Root
from hoisdf_ros.geometry.rotation import quaternion_xyzw_from_matrix
from hoisdf_ros.msg import (
    HandFaces,
    HandMesh,
    HandMeshArray,
    HandPose,
    HandPoseArray,
    HeldObject,
    HeldObjectArray,
)

UNKNOWN = -1.0
"""First element of a covariance, or of its rotation block, that is not known."""


@dataclass(frozen=True)
class ObjectModel:
    """What messages say of an object's mesh.

    Args:
        resource: URL of the mesh file; empty when there is none.
        center: (3,) middle of the mesh's bounding box in the mesh's frame, metres; NaN without
            a mesh.
    """

    resource: str
    center: Array


UNKNOWN_MODEL = ObjectModel("", np.full(3, np.nan))
"""Of an object that a detector names and the object library lacks."""


def hand_pose_array(header: Header, hands: Iterable[HandEstimate], camera: Camera) -> HandPoseArray:
    """All hands of one image, under the image's own header."""
    return HandPoseArray(header=header, hands=[_hand_pose(hand, camera) for hand in hands])


def held_object_array(
    header: Header, objects: Iterable[ObjectEstimate], models: Mapping[str, ObjectModel]
) -> HeldObjectArray:
    """All held objects of one image; ``models`` by object id."""
    messages = [_held_object(held, models[held.object_id]) for held in objects]
    return HeldObjectArray(header=header, objects=messages)


def hand_mesh_array(header: Header, hands: Iterable[HandEstimate]) -> HandMeshArray:
    """The surfaces of all hands of one image, as bare numbers."""
    meshes = [
        HandMesh(
            id=int(hand.id),
            side=int(hand.side),
            vertices=array("f", np.asarray(hand.vertices, np.float32).tobytes()),
        )
        for hand in hands
    ]
    return HandMeshArray(header=header, meshes=meshes)


def hand_faces(side: Side, faces: NDArray[np.integer]) -> HandFaces:
    """The triangles of one side's hand.

    Args:
        side: Which hand.
        faces: (1538, 3) vertex indices.
    """
    triangles = array("I", np.asarray(faces, np.uint32).tobytes())
    return HandFaces(side=int(side), triangles=triangles)


def detection_3d_array(
    header: Header, objects: Iterable[ObjectEstimate], models: Mapping[str, ObjectModel]
) -> Detection3DArray:
    """The held objects as boxes, for those who know vision_msgs only; none without a size."""
    messages = [
        _detection_3d(header, held, models[held.object_id])
        for held in objects
        if np.isfinite(models[held.object_id].center).all()
    ]
    return Detection3DArray(header=header, detections=messages)


def point(xyz: ArrayLike) -> Point:
    """(3,) metres as a message."""
    x, y, z = np.asarray(xyz, dtype=float).tolist()
    return Point(x=x, y=y, z=z)


def vector(xyz: ArrayLike) -> Vector3:
    """(3,) metres as a message."""
    x, y, z = np.asarray(xyz, dtype=float).tolist()
    return Vector3(x=x, y=y, z=z)


def quaternion(rotation: ArrayLike) -> Quaternion:
    """(3, 3) rotation matrix as a message."""
    x, y, z, w = quaternion_xyzw_from_matrix(rotation).tolist()
    return Quaternion(x=x, y=y, z=z, w=w)


def pose(rotation: ArrayLike, translation: ArrayLike) -> Pose:
    """(3, 3) rotation and (3,) metres as a message."""
    return Pose(position=point(translation), orientation=quaternion(rotation))


def _hand_pose(hand: HandEstimate, camera: Camera) -> HandPose:
    wrist = pose(hand.wrist_rotation, hand.joints[WRIST])
    return HandPose(
        id=int(hand.id),
        side=int(hand.side),
        side_score=float(hand.side_score),
        score=float(hand.score),
        joints=[Point(x=x, y=y, z=z) for x, y, z in hand.joints.astype(float).tolist()],
        joint_stddev=_float32(hand.joint_stddev),
        joints_uv=_float32(hand.joints_uv),
        wrist=PoseWithCovariance(pose=wrist, covariance=_wrist_covariance(hand.root)),
        mano_orient=_float32(hand.mano.orient),
        mano_pose=_float32(hand.mano.pose),
        mano_betas=_float32(hand.mano.betas),
        mano_translation=vector(hand.mano.translation),
        flat_hand_mean=True,
        root_source=int(hand.root.source),
        roi=_region(hand.roi, camera),
    )


def _held_object(held: ObjectEstimate, model: ObjectModel) -> HeldObject:
    return HeldObject(
        id=int(held.id),
        object_id=held.object_id,
        name_source=int(held.naming.source),
        name_score=float(held.naming.score),
        runner_up_id=held.naming.runner_up_id,
        runner_up_score=float(held.naming.runner_up_score),
        held_score=float(held.naming.held_score),
        **_surface(held.surface),
        mesh_resource=model.resource,
        hand_id=int(held.hand_id),
        score=float(held.score),
        pose=_object_pose(held),
        size=vector(held.size),
        min_hand_distance=float(held.min_hand_distance),
        joint_contact=held.joint_contact.tolist(),
    )


def _surface(mesh: Mesh | None) -> dict[str, object]:
    """The fields of a surface that stands for a mesh."""
    if mesh is None:
        return {}
    vertices = array("f", np.asarray(mesh.vertices, np.float32).tobytes())
    triangles = array("I", np.asarray(mesh.faces, np.uint32).tobytes())
    return {"surface_vertices": vertices, "surface_triangles": triangles}


def _detection_3d(header: Header, held: ObjectEstimate, model: ObjectModel) -> Detection3D:
    center = held.rotation @ model.center + held.translation
    hypothesis = ObjectHypothesis(class_id=held.object_id, score=float(held.score))
    return Detection3D(
        header=header,
        results=[ObjectHypothesisWithPose(hypothesis=hypothesis, pose=_object_pose(held))],
        bbox=BoundingBox3D(center=pose(held.rotation, center), size=vector(held.size)),
        id=str(held.id),
    )


def _object_pose(held: ObjectEstimate) -> PoseWithCovariance:
    covariance = np.zeros((6, 6)) if held.covariance is None else np.array(held.covariance)
    if held.covariance is None or not np.isfinite(covariance).all():
        covariance = np.zeros((6, 6))
        covariance[0, 0] = UNKNOWN
    return PoseWithCovariance(
        pose=pose(held.rotation, held.translation), covariance=covariance.ravel().tolist()
    )


def _wrist_covariance(root: Root) -> list[float]:
    """(36,) position as the root knows it; the rotation's is never known, and says so."""
    covariance = np.zeros((6, 6))
    covariance[3, 3] = UNKNOWN
    if np.isfinite(root.covariance).all():
        covariance[:3, :3] = root.covariance
    else:
        covariance[0, 0] = UNKNOWN
    values: list[float] = covariance.ravel().tolist()
    return values


def _float32(values: ArrayLike) -> NDArray[np.float32]:
    """A flat array, as rclpy holds fields of fixed length."""
    return np.asarray(values, dtype=np.float32).ravel()


def _region(box: Box, camera: Camera) -> RegionOfInterest:
    """The part of a box that lies inside the image, in whole pixels."""
    x0, y0 = max(0, int(np.floor(box.x0))), max(0, int(np.floor(box.y0)))
    x1, y1 = min(camera.width, int(np.ceil(box.x1))), min(camera.height, int(np.ceil(box.y1)))
    return RegionOfInterest(
        x_offset=min(x0, camera.width),
        y_offset=min(y0, camera.height),
        width=max(0, x1 - x0),
        height=max(0, y1 - y0),
        do_rectify=False,
    )
