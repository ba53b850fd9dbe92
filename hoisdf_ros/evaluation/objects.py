"""Errors of an object's pose, each a pure function; metres unless a name says otherwise.

Vertices are those of the object's mesh, posed, both of one frame. Published numbers use
simplified meshes of 1000 vertices.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.data.ycb import SYMMETRIC_OBJECTS
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.evaluation.correspondence import distances, require_finite
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import box_corners, nearest_distances, transform

REP_LIMIT_PX = 5.0
ADD_LIMIT_DIAMETERS = 0.1


@dataclass(frozen=True)
class Pose:
    """Where an object is.

    Args:
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) origin of the mesh frame, metres.
    """

    rotation: Array
    translation: Array

    def __call__(self, points: Array) -> Array:
        """(N, 3) points of the mesh frame in the camera frame, metres."""
        return transform(points, self.rotation, self.translation)


def object_origin_error(predicted: Array, truth: Array) -> float:
    """OCE: distance of the mesh frame's origins (3,), metres."""
    return float(np.linalg.norm(predicted - truth))


def camera_box_error(predicted: Array, truth: Array) -> float:
    """MCE of HOISDF: mean distance of the 8 corners of boxes along the camera's axes.

    The boxes are drawn around the posed vertices, so that symmetries, and even some rotations,
    do not show.

    Args:
        predicted, truth: (V, 3) posed vertices, metres, the same frame.
    """
    require_finite(predicted, "predicted")
    require_finite(truth, "true")
    return float(distances(box_corners(predicted), box_corners(truth)).mean())


def gsdf_center_error(predicted: Pose, truth: Pose, vertices: Array) -> float:
    """Object centre error of gSDF: distance of the posed middles of the mesh's own box.

    Args:
        predicted, truth: Poses.
        vertices: (V, 3) mesh at rest, metres.
    """
    middle = (vertices.min(axis=0) + vertices.max(axis=0))[np.newaxis] / 2
    return float(distances(predicted(middle), truth(middle)).mean())


def gsdf_corner_error(predicted: Pose, truth: Pose, vertices: Array) -> float:
    """Object corner error of gSDF: mean distance of the posed 8 corners of the mesh's own box.

    Args:
        predicted, truth: Poses.
        vertices: (V, 3) mesh at rest, metres.
    """
    corners = box_corners(vertices)
    return float(distances(predicted(corners), truth(corners)).mean())


def add(predicted: Array, truth: Array) -> float:
    """ADD, and OME of the HO-3D tables: mean distance of vertices that correspond.

    Args:
        predicted, truth: (V, 3) posed vertices, metres, the same frame.
    """
    return float(distances(predicted, truth).mean())


def add_s(predicted: Array, truth: Array) -> float:
    """ADD-S: mean distance from each predicted vertex to the nearest true one, one direction.

    This is the direction of HOISDF and HFL-Net; see `bop_add_s` for the other.

    Args:
        predicted, truth: (V, 3) posed vertices, metres, the same frame.
    """
    require_finite(predicted, "predicted")
    require_finite(truth, "true")
    return float(nearest_distances(predicted, truth).mean())


def bop_add_s(predicted: Array, truth: Array) -> float:
    """ADD-S of BOP and PoseCNN: mean distance from each true vertex to the nearest predicted one.

    Args:
        predicted, truth: (V, 3) posed vertices, metres, the same frame.
    """
    return add_s(truth, predicted)


def hfl_net_error(object_id: str, predicted: Array, truth: Array) -> float:
    """What HFL-Net compares with a tenth of the diameter: ADD-S of symmetric objects, else ADD.

    Args:
        object_id: Name in YCB, such as ``024_bowl``.
        predicted, truth: (V, 3) posed vertices, metres, the same frame.
    """
    measure = add_s if object_id in SYMMETRIC_OBJECTS else add
    return measure(predicted, truth)


def box_diagonal(vertices: Array) -> float:
    """HFL-Net's diameter: diagonal of the box around (V, 3) vertices at rest, metres.

    Never less than the largest distance of two vertices, which BOP calls the diameter.
    """
    return float(np.linalg.norm(np.ptp(vertices, axis=0)))


def reprojection_error(predicted: Array, truth: Array, camera: Camera) -> float:
    """Mean distance in the image of vertices that correspond, pixels.

    Args:
        predicted, truth: (V, 3) posed vertices, metres, camera frame.
        camera: The camera.

    Returns:
        Pixels; NaN when a vertex is not in front of the camera.
    """
    distances(predicted, truth)
    apart = np.linalg.norm(project(predicted, camera) - project(truth, camera), axis=1)
    return float(apart.mean())


def recall(errors: Sequence[float], limit: float) -> float:
    """Share of errors up to the limit, in its unit; NaN errors are misses, no errors give NaN."""
    found = np.asarray(errors, dtype=float) <= limit
    return float(found.mean()) if found.size else float("nan")


def rep_5(errors_px: Sequence[float]) -> float:
    """REP-5: share of samples whose `reprojection_error` is at most 5 pixels."""
    return recall(errors_px, REP_LIMIT_PX)


def add_10(errors: Sequence[float], diameter: float) -> float:
    """ADD-10: share of one object's samples with `hfl_net_error` up to a tenth of its diameter.

    Args:
        errors: Metres.
        diameter: Of the object, metres; `box_diagonal` for HFL-Net's numbers.
    """
    return recall(errors, ADD_LIMIT_DIAMETERS * diameter)
