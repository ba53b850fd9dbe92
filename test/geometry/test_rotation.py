"""Rotations: round trips, known values, and what is refused."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.geometry.rotation import (
    matrix_from_quaternion_xyzw,
    matrix_from_rotation_vector,
    quaternion_xyzw_from_matrix,
    rotation_vector_from_matrix,
)


def test_quarter_turn_about_z_takes_x_to_y() -> None:
    matrix = matrix_from_rotation_vector([0.0, 0.0, np.pi / 2])
    assert np.allclose(matrix @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    half = np.sqrt(0.5)
    assert np.allclose(quaternion_xyzw_from_matrix(matrix), [0.0, 0.0, half, half])


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-4, 0.7, 3.0, np.pi - 1e-7])
def test_vector_survives_the_round_trip(angle: float) -> None:
    axes = np.random.default_rng(0).normal(size=(4, 5, 3))
    vectors = axes / np.linalg.norm(axes, axis=-1, keepdims=True) * angle
    matrices = matrix_from_rotation_vector(vectors)
    assert matrices.shape == (4, 5, 3, 3)
    assert np.allclose(rotation_vector_from_matrix(matrices), vectors, atol=1e-8)


def test_batch_equals_one_by_one() -> None:
    vectors = np.random.default_rng(1).normal(size=(7, 3))
    batch = matrix_from_rotation_vector(vectors)
    for vector, matrix in zip(vectors, batch, strict=True):
        assert np.allclose(matrix_from_rotation_vector(vector), matrix)


def test_quaternion_and_matrix_are_inverse() -> None:
    rng = np.random.default_rng(2)
    for _ in range(20):
        quaternion = rng.normal(size=4)
        quaternion /= np.linalg.norm(quaternion) * np.sign(quaternion[3])
        matrix = matrix_from_quaternion_xyzw(quaternion)
        assert np.allclose(quaternion_xyzw_from_matrix(matrix), quaternion)


def test_rotation_vector_and_quaternion_agree() -> None:
    vector = np.array([0.3, -0.5, 0.2])
    angle = np.linalg.norm(vector)
    quaternion = [*np.sin(angle / 2) * vector / angle, np.cos(angle / 2)]
    assert np.allclose(matrix_from_quaternion_xyzw(quaternion), matrix_from_rotation_vector(vector))


def test_empty_batch_stays_empty() -> None:
    assert matrix_from_rotation_vector(np.zeros((0, 3))).shape == (0, 3, 3)
    assert rotation_vector_from_matrix(np.zeros((0, 3, 3))).shape == (0, 3)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.diag([1.0, 1, -1]), 1.1 * np.eye(3)])
def test_a_matrix_that_does_not_rotate_is_refused(matrix: Array) -> None:
    with pytest.raises(HoisdfError, match="not a rotation"):
        rotation_vector_from_matrix(matrix)
    with pytest.raises(HoisdfError, match="not a rotation"):
        quaternion_xyzw_from_matrix(matrix)


def test_nan_never_becomes_a_rotation() -> None:
    with pytest.raises(HoisdfError, match="finite"):
        matrix_from_rotation_vector([np.nan, 0.0, 0.0])
    with pytest.raises(HoisdfError, match="not a rotation"):
        quaternion_xyzw_from_matrix(np.full((3, 3), np.nan))


def test_an_unset_quaternion_is_not_the_identity() -> None:
    with pytest.raises(HoisdfError, match="length one"):
        matrix_from_quaternion_xyzw([0.0, 0.0, 0.0, 0.0])
