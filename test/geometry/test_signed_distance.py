"""Signed distances against shapes whose distance is known, and against all faces."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.mesh import mirrored
from hoisdf_ros.geometry.primitives import box, sphere
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid, Surface, _agree_on_signs

SIZE = (0.06, 0.1, 0.02)


def box_distance(points: Array) -> Array:
    """(N,) exact signed distance to a box of SIZE."""
    beyond = np.abs(points) - np.array(SIZE) / 2
    outside: Array = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
    distance: Array = outside + np.minimum(beyond.max(axis=1), 0.0)
    return distance


def queries(count: int = 2000) -> Array:
    return np.random.default_rng(0).uniform(-0.1, 0.1, size=(count, 3))


def test_a_box_is_exact_inside_outside_and_beyond_its_edges() -> None:
    points = queries()
    distances = Surface(box(SIZE)).signed_distance(points)
    assert np.abs(distances - box_distance(points)).max() < 1e-9
    assert (distances < 0).any()


def test_a_fine_sphere_is_nearly_a_sphere() -> None:
    points = queries()
    distances = Surface(sphere(0.05, rounds=5)).signed_distance(points)
    assert np.abs(distances - (np.linalg.norm(points, axis=1) - 0.05)).max() < 1e-4


def spiky() -> Mesh:
    """A closed star with sharp edges, where the sign of the nearest face alone would err."""
    mesh = sphere(0.05, rounds=2)
    stretch = np.random.default_rng(4).uniform(0.3, 1.6, size=(len(mesh.vertices), 1))
    return Mesh(mesh.vertices * stretch, mesh.faces)


def brute_force(mesh: Mesh, points: Array) -> Array:
    """(N,) signed distance: dense samples for its size, the winding number for its sign."""
    corners = mesh.vertices[mesh.faces]  # (F, 3, 3)
    i, j = np.triu_indices(60)
    weights = np.stack([i / 59, (j - i) / 59, 1 - j / 59], axis=1)
    samples = np.einsum("sc,fci->fsi", weights, corners).reshape(-1, 3)
    size = np.array([np.linalg.norm(samples - point, axis=1).min() for point in points])
    a, b, c = np.moveaxis(corners[None] - points[:, None, None], 2, 0)
    la, lb, lc = (np.linalg.norm(x, axis=-1) for x in (a, b, c))
    ab, bc, ca = ((x * y).sum(axis=-1) for x, y in ((a, b), (b, c), (c, a)))
    # Solid angle of a triangle: Van Oosterom & Strackee 1983, eq. 8
    triple = (a * np.cross(b, c)).sum(axis=-1)
    solid = 2 * np.arctan2(triple, la * lb * lc + ab * lc + bc * la + ca * lb)
    return np.where(solid.sum(axis=1) > 2 * np.pi, -size, size)


def test_a_spiky_star_agrees_with_brute_force() -> None:
    mesh, points = spiky(), queries(300) * 0.8
    expected = brute_force(mesh, points)
    distances = Surface(mesh).signed_distance(points)
    assert (distances < 0).sum() > 20
    assert np.array_equal(distances < 0, expected < 0)
    assert np.abs(distances - expected).max() < 1e-3


def test_texture_seams_do_not_change_the_sign() -> None:
    mesh, points = spiky(), queries(300)
    torn = Mesh(
        mesh.vertices[mesh.faces].reshape(-1, 3),
        np.arange(mesh.faces.size, dtype=np.int32).reshape(-1, 3),
    )
    expected = Surface(mesh).signed_distance(points)
    assert np.allclose(Surface(torn).signed_distance(points), expected)


def test_closest_points_carry_their_face_and_weights() -> None:
    mesh, points = spiky(), queries(200)
    near = Surface(mesh).closest(points)
    assert np.allclose(near.weights.sum(axis=1), 1.0)
    assert (near.weights >= 0).all()
    rebuilt = np.einsum("nc,nci->ni", near.weights, mesh.vertices[mesh.faces[near.faces]])
    assert np.allclose(rebuilt, near.points)


def test_no_points_give_no_distances() -> None:
    assert Surface(box(SIZE)).signed_distance(np.zeros((0, 3))).shape == (0,)


def test_a_mesh_without_area_has_no_distance() -> None:
    with pytest.raises(MeshError, match="no area"):
        Surface(Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32)))


def test_the_grid_agrees_with_the_exact_distance() -> None:
    mesh = sphere(0.05, rounds=4)
    grid = SignedDistanceGrid.of(mesh, spacing=0.003, margin=0.02)
    points = np.random.default_rng(1).uniform(-0.07, 0.07, size=(40, 50, 3))
    far = np.linalg.norm(points, axis=2) > 0.01  # the field has a kink at the centre
    exact = Surface(mesh).signed_distance(points.reshape(-1, 3)).reshape(40, 50)
    assert grid(points).shape == (40, 50)
    assert np.abs(grid(points) - exact)[far].max() < 2e-4


def test_the_grid_is_continuous_and_never_too_small_beyond_its_border() -> None:
    mesh = box(SIZE)
    grid = SignedDistanceGrid.of(mesh, spacing=0.004, margin=0.01)
    ray = np.linspace(0.0, 0.2, 400)[:, None] * [0.6, 0.64, 0.48]
    values = grid(ray)
    assert np.abs(np.diff(values)).max() <= 0.0006
    assert (values - box_distance(ray) > -1e-3).all()
    assert values[-1] > 0.1


def test_the_grid_outvotes_stray_signs_away_from_the_surface() -> None:
    steps = np.linspace(-0.05, 0.05, 21)
    points = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    distances = box_distance(points.reshape(-1, 3)).reshape(21, 21, 21)
    flipped = distances.copy()
    flipped[10, 10, 10] *= -1  # the centre of the box
    flipped[0, 3, 5] *= -1
    assert np.array_equal(_agree_on_signs(flipped, spacing=0.005), distances)


def test_a_mirrored_grid_is_that_of_the_mirrored_mesh() -> None:
    mesh, points = spiky(), queries(300) * 0.6
    grid = SignedDistanceGrid.of(mesh, spacing=0.004, margin=0.02)
    assert np.allclose(grid.mirrored()(points), grid(points * [-1, 1, 1]), atol=1e-6)
    again = SignedDistanceGrid.of(mirrored(mesh), spacing=0.004, margin=0.02)
    assert np.abs(grid.mirrored()(points) - again(points)).max() < 0.003
