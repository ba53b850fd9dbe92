"""Rotations as matrices, rotation vectors and quaternions.

A rotation vector points along the axis; its length is the angle in radians. Quaternions are
(x, y, z, w), while transforms3d has w first: that difference stays in this file.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation
from transforms3d.quaternions import mat2quat, quat2mat

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import HoisdfError

_TOLERANCE = 1e-3  # how far R^T R may be from the identity, and |q| from one


def _checked(matrix: ArrayLike) -> Array:
    """Matrices as float64, or an error when they do not rotate."""
    array = np.asarray(matrix, dtype=float)
    if array.shape[-2:] != (3, 3):
        raise HoisdfError(f"rotation of shape {array.shape}: expected (..., 3, 3)")
    error = np.abs(np.swapaxes(array, -1, -2) @ array - np.eye(3)).max(initial=0.0)
    if not error <= _TOLERANCE or (np.linalg.det(array) < 0).any():
        raise HoisdfError(
            f"matrix {array.tolist()} is not a rotation (R^T R differs from the identity by "
            f"{error:.3g}, or it mirrors); pass orthonormal matrices of determinant +1"
        )
    return array


def matrix_from_rotation_vector(vector: ArrayLike) -> Array:
    """Rotation matrices of rotation vectors.

    Args:
        vector: (..., 3) axis times angle, radians.

    Returns:
        (..., 3, 3) rotation matrices.

    Raises:
        HoisdfError: The last axis is not 3, or a value is not finite.
    """
    array = np.asarray(vector, dtype=float)
    if array.shape[-1:] != (3,) or not np.isfinite(array).all():
        raise HoisdfError(f"rotation vector of shape {array.shape}: expected finite (..., 3)")
    matrix: Array = Rotation.from_rotvec(array.reshape(-1, 3)).as_matrix()
    return matrix.reshape(*array.shape, 3)


def rotation_vector_from_matrix(matrix: ArrayLike) -> Array:
    """Rotation vectors of rotation matrices, of length at most pi.

    Args:
        matrix: (..., 3, 3) rotation matrices.

    Returns:
        (..., 3) axis times angle, radians.

    Raises:
        HoisdfError: A matrix is not a rotation.
    """
    array = _checked(matrix)
    vector: Array = Rotation.from_matrix(array.reshape(-1, 3, 3)).as_rotvec()
    return vector.reshape(array.shape[:-1])


def quaternion_xyzw_from_matrix(matrix: ArrayLike) -> Array:
    """Unit quaternion of one rotation matrix, with w >= 0.

    Args:
        matrix: (3, 3) rotation matrix.

    Returns:
        (4,) quaternion x, y, z, w.

    Raises:
        HoisdfError: The matrix is not a rotation.
    """
    w, x, y, z = mat2quat(_checked(matrix))
    return np.array([x, y, z, w])


def matrix_from_quaternion_xyzw(quaternion: ArrayLike) -> Array:
    """Rotation matrix of one unit quaternion.

    Args:
        quaternion: (4,) quaternion x, y, z, w of length one.

    Returns:
        (3, 3) rotation matrix.

    Raises:
        HoisdfError: The quaternion is not of length one; (0, 0, 0, 0) is what an unset message
            holds, and must not pass for the identity.
    """
    array = np.asarray(quaternion, dtype=float)
    if array.shape != (4,) or not abs(np.linalg.norm(array) - 1.0) <= _TOLERANCE:
        raise HoisdfError(
            f"quaternion x, y, z, w = {array.tolist()}: expected four numbers of length one; "
            "normalise it, or set it if it was left empty"
        )
    x, y, z, w = array
    matrix: Array = quat2mat([w, x, y, z])
    return matrix
