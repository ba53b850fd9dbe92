"""Hands and objects as RViz markers; costly next to the data topics, so only while watched."""

from collections.abc import Iterator, Mapping

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from numpy.typing import NDArray
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from hoisdf_ros.conventions import BONES, Side
from hoisdf_ros.datatypes import Array, Estimate, HandEstimate, ObjectEstimate
from hoisdf_ros.ros.estimate_messages import ObjectModel, pose

JOINTS, BONES_NS, MESH, OBJECT = "hand_joints", "hand_bones", "hand_mesh", "object"
HAND_NAMESPACES = (JOINTS, BONES_NS, MESH)

_LIFETIME = Duration(nanosec=500_000_000)
_JOINT_DIAMETER, _BONE_WIDTH = 0.012, 0.005  # metres
_COLOURS = {
    Side.UNKNOWN: (0.7, 0.7, 0.7),
    Side.LEFT: (0.25, 0.55, 0.95),
    Side.RIGHT: (0.95, 0.6, 0.35),
}

Key = tuple[str, int]
"""Namespace and id of a marker."""


class MarkerMaker:
    """Turns estimates into markers, and takes away those whose hand or object is lost.

    Args:
        faces: (1538, 3) hand triangles by side.
    """

    def __init__(self, faces: Mapping[Side, NDArray[np.integer]]) -> None:
        self._triangles = {side: array.ravel().tolist() for side, array in faces.items()}
        self._last_seen: dict[Key, int] = {}

    def __call__(
        self,
        header: Header,
        estimate: Estimate,
        models: Mapping[str, ObjectModel],
        lost_timeout: int,
    ) -> MarkerArray:
        """Markers of one image, and DELETE for what has not been seen for too long.

        Args:
            header: The image's.
            estimate: What was seen.
            models: Meshes by object id.
            lost_timeout: Nanoseconds.
        """
        stamp = header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
        markers = [m for hand in estimate.hands for m in self._hand(header, hand)]
        markers += [
            _object(header, held, models[held.object_id])
            for held in estimate.objects
            if models[held.object_id].resource
        ]
        self._last_seen.update({(marker.ns, marker.id): stamp for marker in markers})
        lost = [k for k, seen in self._last_seen.items() if not 0 <= stamp - seen <= lost_timeout]
        markers += [_deletion(header, key) for key in lost]
        for key in lost:
            del self._last_seen[key]
        return MarkerArray(markers=markers)

    def _hand(self, header: Header, hand: HandEstimate) -> Iterator[Marker]:
        joints = _points(hand.joints)
        valid = [bool(np.isfinite(joint).all()) for joint in hand.joints]
        spheres = [joint for joint, is_valid in zip(joints, valid, strict=True) if is_valid]
        bones = [joints[j] for bone in BONES if valid[bone[0]] and valid[bone[1]] for j in bone]
        # Each vertex is one Point that six triangles share: building 4614 takes ten times as long.
        vertices = _points(hand.vertices)
        corners = [vertices[index] for index in self._triangles.get(hand.side, [])]
        solid, glassy = _colour(hand.side, 1.0), _colour(hand.side, 0.6)
        diameter = Vector3(x=_JOINT_DIAMETER, y=_JOINT_DIAMETER, z=_JOINT_DIAMETER)
        width, unscaled = Vector3(x=_BONE_WIDTH), Vector3(x=1.0, y=1.0, z=1.0)
        if spheres:
            yield _list(header, (JOINTS, hand.id), Marker.SPHERE_LIST, spheres, diameter, solid)
        if bones:
            yield _list(header, (BONES_NS, hand.id), Marker.LINE_LIST, bones, width, solid)
        if corners:
            yield _list(header, (MESH, hand.id), Marker.TRIANGLE_LIST, corners, unscaled, glassy)


def _object(header: Header, held: ObjectEstimate, model: ObjectModel) -> Marker:
    return Marker(
        header=header,
        ns=OBJECT,
        id=int(held.id),
        type=Marker.MESH_RESOURCE,
        pose=pose(held.rotation, held.translation),
        scale=Vector3(x=1.0, y=1.0, z=1.0),
        lifetime=_LIFETIME,
        frame_locked=False,
        mesh_resource=model.resource,
        mesh_use_embedded_materials=True,
    )


def _list(
    header: Header, key: Key, kind: int, points: list[Point], scale: Vector3, colour: ColorRGBA
) -> Marker:
    """A marker whose points are in the header's frame."""
    return Marker(
        header=header,
        ns=key[0],
        id=int(key[1]),
        type=kind,
        pose=Pose(orientation=Quaternion(w=1.0)),
        scale=scale,
        color=colour,
        lifetime=_LIFETIME,
        points=points,
    )


def _deletion(header: Header, key: Key) -> Marker:
    return Marker(header=header, ns=key[0], id=int(key[1]), action=Marker.DELETE)


def _points(array: Array) -> list[Point]:
    return [Point(x=x, y=y, z=z) for x, y, z in array.astype(float).tolist()]


def _colour(side: Side, alpha: float) -> ColorRGBA:
    red, green, blue = _COLOURS[side]
    return ColorRGBA(r=red, g=green, b=blue, a=alpha)
