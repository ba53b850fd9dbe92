"""The field's errors, each a pure function in metres.

Definitions as published with HOISDF; see each function for the alignment it applies.
"""

import numpy as np

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.mesh import nearest_distances


def joint_error(predicted: Array, truth: Array) -> float:
    """MJE: mean distance of joints that correspond, no alignment.

    Args:
        predicted, truth: (J, 3) metres, the same frame.
    """
    return float(np.linalg.norm(predicted - truth, axis=-1).mean())


def root_relative_joint_error(predicted: Array, truth: Array) -> float:
    """MJE with both wrists moved to the origin.

    Args:
        predicted, truth: (21, 3) metres.
    """
    return joint_error(predicted - predicted[WRIST], truth - truth[WRIST])


def wrist_error(predicted: Array, truth: Array) -> float:
    """Distance of the wrists of (21, 3) joints in the camera frame, metres."""
    return float(np.linalg.norm(predicted[WRIST] - truth[WRIST]))


def object_origin_error(predicted: Array, truth: Array) -> float:
    """OCE: distance of the mesh frame's origins (3,), metres."""
    return float(np.linalg.norm(predicted - truth))


def add_s(predicted: Array, truth: Array) -> float:
    """ADD-S: mean distance from each predicted vertex to the nearest true one, one direction.

    Args:
        predicted, truth: (V, 3) posed vertices, metres, the same frame.
    """
    return float(nearest_distances(predicted, truth).mean())
