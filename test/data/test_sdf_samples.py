"""Distances that are right, spread as the field spreads them."""

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sdf_samples import FILL, PosedObject, sample_fields
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry import primitives
from hoisdf_ros.geometry.closing import close_holes
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid
from hoisdf_ros.hand_model.stand_in import load_stand_in

HAND_CENTER, OBJECT_CENTER = np.array([0.0, 0.02, 0.5]), np.array([0.07, 0.0, 0.55])
TURN = matrix_from_rotation_vector(np.array([0.4, -0.3, 0.8]))


def _sphere(radius: float, center: Array) -> Mesh:
    ball = primitives.sphere(radius, rounds=5)
    return Mesh(ball.vertices + center, ball.faces)


@pytest.fixture(scope="module")
def box() -> PosedObject:
    mesh = primitives.box((0.06, 0.08, 0.1))
    return PosedObject(mesh, SignedDistanceGrid.of(mesh, 0.004), TURN, OBJECT_CENTER)


def _box_distance(points: Array) -> Array:
    """Exact signed distance to the posed box."""
    beyond = np.abs((points - OBJECT_CENTER) @ TURN) - np.array([0.03, 0.04, 0.05])
    outside = np.linalg.norm(np.maximum(beyond, 0), axis=1)
    distance: Array = outside + np.minimum(beyond.max(axis=1), 0)
    return distance


def test_distances_to_a_ball_and_a_posed_box_are_exact(box: PosedObject) -> None:
    hand = _sphere(0.05, HAND_CENTER)
    samples = sample_fields(hand, box, 2000, np.random.default_rng(0))
    ball = np.linalg.norm(samples.points - HAND_CENTER, axis=1) - 0.05
    np.testing.assert_allclose(samples.hand, ball, atol=2e-4)
    exact = _box_distance(samples.points)
    within_grid = exact < 0.015
    np.testing.assert_allclose(samples.object[within_grid], exact[within_grid], atol=1.5e-3)
    assert np.abs(samples.object - exact)[within_grid].mean() < 2e-4
    assert (np.sign(samples.object) == np.sign(exact))[np.abs(exact) > 1e-3].all()


def test_most_points_are_near_their_surface_and_some_anywhere(box: PosedObject) -> None:
    hand = _sphere(0.05, HAND_CENTER)
    samples = sample_fields(hand, box, 4000, np.random.default_rng(1))
    own = np.abs(np.where(samples.of_hand, samples.hand, samples.object))
    vertices = np.concatenate([hand.vertices, box.posed.vertices])
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    radius = FILL * np.linalg.norm(vertices - middle, axis=1).max()
    narrow = own < 2 * 0.0005**0.5 * radius
    wide = own < 3 * 0.005**0.5 * radius
    assert 0.5 < narrow.mean() < 0.8
    assert 0.93 < wide.mean() < 1.0
    assert abs(samples.of_hand.mean() - 0.5) < 0.02


def test_the_same_seed_draws_the_same_points(box: PosedObject) -> None:
    hand = _sphere(0.05, HAND_CENTER)
    first, second, other = (
        sample_fields(hand, box, 50, np.random.default_rng(seed)).points for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_without_an_object_its_distance_is_unknown() -> None:
    samples = sample_fields(_sphere(0.05, HAND_CENTER), None, 100, np.random.default_rng(0))
    assert np.isnan(samples.object).all()
    assert samples.of_hand.all()
    assert len(samples.points) > 95


def _winding_number(points: Array, mesh: Mesh) -> Array:
    """How often the surface wraps around each point (van Oosterom & Strackee 1983)."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]][None] - points[:, None] for k in range(3))
    la, lb, lc = (np.linalg.norm(x, axis=2) for x in (a, b, c))
    triple = np.einsum("nfi,nfi->nf", a, np.cross(b, c))
    dots = [np.einsum("nfi,nfi->nf", x, y) for x, y in ((a, b), (b, c), (c, a))]
    below = la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb
    number: Array = np.arctan2(triple, below).sum(axis=1) / (2 * np.pi)
    return number


def test_the_hands_inside_is_where_its_surface_wraps_around() -> None:
    arrays = load_stand_in(Side.RIGHT)
    faces = arrays.faces.astype(np.int32)
    hand = Mesh(arrays.v_template + HAND_CENTER, faces)
    samples = sample_fields(hand, None, 1500, np.random.default_rng(5))
    wraps = _winding_number(samples.points, Mesh(hand.vertices, close_holes(faces))) > 0.5
    clear = np.abs(samples.hand) > 5e-4
    assert wraps.any()
    np.testing.assert_array_equal((samples.hand < 0)[clear], wraps[clear])
