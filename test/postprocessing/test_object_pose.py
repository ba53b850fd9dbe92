"""Known shapes on measured points of the side that faces the camera."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.mesh import face_normals, sample_surface
from hoisdf_ros.geometry.primitives import box, sphere
from hoisdf_ros.postprocessing.candidates import Candidate, prepare
from hoisdf_ros.postprocessing.object_pose import (
    MAX_MISFIT_M,
    WAYS,
    PlacedObject,
    middle_of,
    place,
    search,
)
from hoisdf_ros.postprocessing.object_view import ObjectView
from hoisdf_ros.postprocessing.objects import KnownObject
from hoisdf_ros.postprocessing.settling import Poses

K = np.array([[130.0, 0, 31.5], [0, 130, 31.5], [0, 0, 1]])  # of a map of 64 pixels
TURN = Rotation.from_rotvec([0.7, -0.5, 0.4]).as_matrix()
PLACE = np.array([0.02, -0.01, 0.6])
BRICK = box((0.14, 0.08, 0.05))


def _candidate(mesh: Mesh) -> Candidate:
    return prepare(KnownObject("thing", mesh))


def _view(mesh: Mesh, turn: Array = TURN) -> ObjectView:
    """The mesh at `PLACE`, as a depth camera and a perfect mask show it."""
    points, faces = sample_surface(mesh, 4000, np.random.default_rng(1))
    normals = face_normals(mesh.vertices, mesh.faces)[faces] @ turn.T
    placed = points @ turn.T + PLACE
    measured = placed[(normals * placed).sum(axis=1) < 0]
    pixels = placed @ K.T
    x, y = np.rint(pixels[:, :2] / pixels[:, 2:]).astype(int).T
    seen = np.zeros((64, 64), np.bool_)
    seen[y, x] = True
    nothing = np.zeros_like(seen)
    return ObjectView(seen, nothing, K, np.eye(3), measured[:: len(measured) // 120], None)


def _found(mesh: Mesh, view: ObjectView, said: Array, aside: Array) -> PlacedObject:
    candidate = _candidate(mesh)
    return place(candidate, view, search(candidate, view, said, PLACE + aside))


@pytest.mark.parametrize("turns", [[0.0, 0.0, 0.0], [1.6, 0.2, 0.0], [0.3, 1.0, -2.0]])
def test_a_brick_is_found_however_it_is_said_to_be_turned(turns: list[float]) -> None:
    said = Rotation.from_rotvec(turns).as_matrix()
    found = _found(BRICK, _view(BRICK), said, np.array([0.02, -0.02, 0.03]))
    assert np.linalg.norm(found.translation - PLACE) < 0.004
    off = [Rotation.from_matrix(found.rotation @ way @ TURN.T).magnitude() for way in WAYS]
    assert min(off) < np.radians(4)  # half turns of a brick are all the same
    assert found.misfit < 0.005


def test_the_frame_of_a_mesh_may_lie_beside_it() -> None:
    aside = np.array([0.05, -0.1, 0.02])
    mesh = Mesh(BRICK.vertices + aside, BRICK.faces)
    candidate, view = _candidate(mesh), _view(BRICK)
    found = place(candidate, view, search(candidate, view, TURN, PLACE))
    middle = middle_of(candidate, found.rotation, found.translation)
    assert np.linalg.norm(middle - PLACE) < 0.004


def test_a_followed_object_needs_no_search() -> None:
    turned = Rotation.from_rotvec([0.1, -0.15, 0.1]).as_matrix() @ TURN
    near = Poses(turned[None], (PLACE + np.array([0.01, 0.0, -0.01]))[None])
    found = place(_candidate(BRICK), _view(BRICK), near)
    assert Rotation.from_matrix(found.rotation @ TURN.T).magnitude() < np.radians(4)
    assert np.linalg.norm(found.translation - PLACE) < 0.004


def test_another_shape_fits_worse() -> None:
    other = _found(sphere(0.1), _view(BRICK), TURN, np.zeros(3))
    assert other.misfit > 2 * _found(BRICK, _view(BRICK), TURN, np.zeros(3)).misfit
    assert other.misfit > 0.3 * MAX_MISFIT_M


def test_what_depth_leaves_open_is_said() -> None:
    ball = _found(sphere(0.04), _view(sphere(0.04)), TURN, np.array([0.01, 0.01, 0.02]))
    brick = _found(BRICK, _view(BRICK), TURN, np.zeros(3))
    for found in (ball, brick):
        np.testing.assert_allclose(found.covariance, found.covariance.T, atol=1e-12)
        assert np.linalg.eigvalsh(found.covariance).min() > 0
        assert np.sqrt(np.diag(found.covariance)[:3]).max() < 0.02
    turns = [np.sqrt(np.diag(found.covariance)[3:]) for found in (ball, brick)]  # radians
    assert turns[0].min() > 0.3
    assert turns[0].min() > 2 * turns[1].max()
