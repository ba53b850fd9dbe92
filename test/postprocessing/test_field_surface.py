"""Surfaces of fields whose shape is known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.geometry.mesh import face_normals
from hoisdf_ros.postprocessing import field_surface
from hoisdf_ros.postprocessing.field_surface import (
    STEP,
    Field,
    Grid,
    largest_component,
    sample,
    surface_of,
)

GRID = Grid(0.3, 48)  # cells of 12.5 mm
TURN = Rotation.from_rotvec([0.4, -0.7, 0.2]).as_matrix()


def ball(center: tuple[float, float, float], radius: float) -> Field:
    def distance(points: Array) -> Array:
        away: Array = np.linalg.norm(points - np.array(center), axis=1)
        return away - radius

    return distance


def turned_box(size: tuple[float, float, float], shift: tuple[float, float, float]) -> Field:
    """Exact distance to a box that is turned and moved."""

    def distance(points: Array) -> Array:
        outside = np.abs((points - np.array(shift)) @ TURN) - np.array(size) / 2
        away: Array = np.linalg.norm(np.maximum(outside, 0), axis=1)
        inside: Array = np.minimum(outside.max(axis=1), 0)
        return away + inside

    return distance


def both(one: Field, other: Field) -> Field:
    return lambda points: np.minimum(one(points), other(points))


def surface(field: Field, grid: Grid = GRID) -> Mesh:
    mesh = surface_of(field, grid)
    assert mesh is not None
    return mesh


def border_edges(mesh: Mesh) -> int:
    """Edges with a face on one side only; each face of a closed mesh meets another, reversed."""
    edges = mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    directed = {(int(a), int(b)) for a, b in edges}
    assert len(directed) == len(edges)
    return sum((b, a) not in directed for a, b in directed)


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float(np.einsum("fc,fc->f", a, np.cross(b, c)).sum() / 6)


def test_a_ball_has_its_place_size_and_outside() -> None:
    mesh = surface(ball((0.05, -0.08, 0.11), 0.1))
    middle = np.array([0.05, -0.08, 0.11])
    radius = np.linalg.norm(mesh.vertices - middle, axis=1)
    assert np.abs(radius - 0.1).max() < 0.05 * GRID.spacing
    assert border_edges(mesh) == 0
    outward = mesh.vertices[mesh.faces].mean(axis=1) - middle
    normals = face_normals(mesh.vertices, mesh.faces)
    assert (np.einsum("fc,fc->f", normals, outward) > 0).all()
    assert volume(mesh) == pytest.approx(4 / 3 * np.pi * 0.1**3, rel=0.02)


def test_a_box_stays_within_a_fraction_of_a_cell() -> None:
    field = turned_box((0.12, 0.2, 0.16), (0.03, 0.0, -0.05))
    mesh = surface(field)
    apart = np.abs(field(mesh.vertices))
    assert np.median(apart) < 0.02 * GRID.spacing  # flat faces are met exactly, edges are cut
    assert apart.max() < 0.6 * GRID.spacing
    assert border_edges(mesh) == 0
    assert volume(mesh) == pytest.approx(0.12 * 0.2 * 0.16, rel=0.03)


def test_finer_cells_come_nearer() -> None:
    field = ball((0.01, 0.02, 0.0), 0.07)
    errors = [np.abs(field(surface(field, Grid(0.3, n)).vertices)).max() for n in (24, 48, 96)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_a_field_through_the_grids_corners_is_no_trouble() -> None:
    mesh = surface(lambda points: np.abs(points).max(axis=1) - 0.15)
    assert (face_normals(mesh.vertices, mesh.faces) != 0).any(axis=1).all()
    np.testing.assert_allclose(mesh.size, 0.3, atol=1e-6)
    assert border_edges(mesh) == 0


def test_a_surface_that_leaves_the_grid_stays_open() -> None:
    mesh = surface(ball((0.3, 0.0, 0.0), 0.1))
    assert mesh.vertices[:, 0].max() == pytest.approx(0.3)
    assert border_edges(mesh) > 10
    plane = surface(lambda points: points[:, 1] - 0.07)
    np.testing.assert_allclose(plane.vertices[:, 1], 0.07, atol=1e-6)
    np.testing.assert_allclose(plane.size, [0.6, 0.0, 0.6], atol=1e-6)
    assert (face_normals(plane.vertices, plane.faces)[:, 1] > 0).all()


def test_a_surface_ends_where_the_field_is_unknown() -> None:
    def half(points: Array) -> Array:
        return np.where(points[:, 2] > 0.021, np.nan, ball((0, 0, 0), 0.1)(points))

    mesh = surface(half)
    assert 0.0 < mesh.vertices[:, 2].max() <= 0.021
    assert mesh.vertices[:, 2].min() == pytest.approx(-0.1, abs=0.05 * GRID.spacing)
    assert border_edges(mesh) > 10
    assert surface_of(lambda points: np.full(len(points), np.nan), GRID) is None


@pytest.mark.parametrize("offset", [0.5, -0.5, 0.0])
def test_no_zero_crossing_is_no_mesh(offset: float) -> None:
    assert surface_of(lambda points: np.full(len(points), offset), GRID) is None


def test_only_the_largest_piece_is_kept() -> None:
    mesh = surface(both(ball((0.15, 0.0, 0.0), 0.05), ball((-0.15, 0.0, 0.0), 0.07)))
    assert mesh.vertices[:, 0].max() < 0
    assert len(np.unique(mesh.faces)) == len(mesh.vertices)
    assert border_edges(mesh) == 0


def test_the_largest_piece_is_the_one_of_most_area_not_of_most_faces() -> None:
    single = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    vertices = np.concatenate([0.1 * single + 5, 0.1 * single + 6, single])
    # two small triangles that share a corner, and one large one
    faces = np.array([[0, 1, 2], [3, 4, 0], [6, 7, 8]], dtype=np.int32)
    found = largest_component(Mesh(vertices, faces))
    np.testing.assert_array_equal(found.vertices, single + 0 * vertices[6:])
    assert found.faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    "field",
    [
        ball((0.1, 0.05, -0.02), 0.12),
        turned_box((0.02, 0.2, 0.009), (0.0, 0.1, 0.0)),  # thinner than a cell
        both(ball((0.1, 0.1, 0.1), 0.06), turned_box((0.1, 0.1, 0.3), (-0.1, 0.0, 0.0))),
    ],
)
def test_asking_coarsely_first_misses_nothing(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(points: Array) -> Array:
        asked.append(len(points))
        # as steep as the slack allows, and clamped as a network's
        return np.clip(1.5 * field(points), -0.1, 0.1)

    quick = surface(counted)
    assert sum(asked) < 0.6 * (GRID.cells + 1) ** 3
    monkeypatch.setattr(field_surface, "_SLACK", np.inf)
    dense = surface(counted)
    np.testing.assert_array_equal(quick.vertices, dense.vertices)
    np.testing.assert_array_equal(quick.faces, dense.faces)


def test_cells_that_were_asked_are_those_near_the_surface() -> None:
    values, cells = sample(ball((0, 0, 0), 0.1), GRID)
    assert values.shape == (49, 49, 49)
    assert cells.shape == (48, 48, 48)
    assert not cells[:STEP].any()
    middle = values[24, 24]
    assert cells[24, 24, 32]
    assert middle[32] == pytest.approx(0.0)


@pytest.mark.parametrize(("edge", "cells"), [(0.3, 0), (0.3, 50), (0.0, 48), (-1.0, 48)])
def test_impossible_grids_are_refused(edge: float, cells: int) -> None:
    with pytest.raises(ConfigError, match="multiple of 4"):
        Grid(edge, cells)
