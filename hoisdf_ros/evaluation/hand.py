"""Errors of the hand's joints, each a pure function in metres.

Joints are (21, 3) in the order of `conventions.JOINT_NAMES`, both of one frame.
"""

import numpy as np

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.datatypes import Array
from hoisdf_ros.evaluation.alignment import (
    procrustes_align,
    rigid_align,
    scale_translation_align,
)
from hoisdf_ros.evaluation.correspondence import distances


def joint_error(predicted: Array, truth: Array) -> float:
    """MJE: mean distance of joints that correspond, no alignment.

    Args:
        predicted, truth: (J, 3) metres, the same frame.
    """
    return float(distances(predicted, truth).mean())


def root_relative(joints: Array) -> Array:
    """(J, 3) joints with the wrist moved to the origin."""
    relative: Array = joints - joints[WRIST]
    return relative


def root_relative_joint_error(predicted: Array, truth: Array) -> float:
    """MJE with both wrists moved to the origin; the MJE of HOISDF's tables.

    Args:
        predicted, truth: (21, 3) metres.
    """
    return joint_error(root_relative(predicted), root_relative(truth))


def wrist_error(predicted: Array, truth: Array) -> float:
    """Distance of the wrists of (21, 3) joints in the camera frame, metres."""
    return float(np.linalg.norm(predicted[WRIST] - truth[WRIST]))


def pa_joint_error(predicted: Array, truth: Array) -> float:
    """PA-MJE: MJE after the best similarity without reflection (`rigid_align`)."""
    return joint_error(rigid_align(predicted, truth), truth)


def ho3d_pa_joint_error(predicted: Array, truth: Array) -> float:
    """PA-MJE of HO-3D, FreiHAND and DexYCB's own scripts: reflections allowed."""
    return joint_error(procrustes_align(predicted, truth), truth)


def scale_translation_joint_error(predicted: Array, truth: Array) -> float:
    """STMJE: MJE after `scale_translation_align`; rotations are not forgiven."""
    return joint_error(scale_translation_align(predicted, truth), truth)


def mean_pose(joints: Array) -> Array:
    """The prediction that looks at no image: the mean root-relative hand.

    Args:
        joints: (N, 21, 3) of the training split, metres, camera frame.

    Returns:
        (21, 3) metres, wrist at the origin.
    """
    pose: Array = (joints - joints[:, WRIST : WRIST + 1]).mean(axis=0)
    return pose
