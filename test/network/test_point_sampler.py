"""The sampler against a search one point at a time."""

import pytest
import torch

from hoisdf_ros.network import point_sampler
from hoisdf_ros.network.point_sampler import (
    Candidates,
    choose_candidates,
    inside_box,
    lattice_points,
    nearest_to_surface,
)


def test_regular_lattice_runs_z_fastest_from_corner_to_corner() -> None:
    lattice = lattice_points(4, "regular").view(4, 4, 4, 3)
    step = 2 / 3
    for x in range(4):
        for y in range(4):
            for z in range(4):
                expected = torch.tensor([x, y, z]) * step - 1
                torch.testing.assert_close(lattice[x, y, z], expected)


def test_sheared_lattice_drifts_by_the_unrounded_index() -> None:
    size = 64
    lattice = lattice_points(size, "sheared")
    index = 5 * size**2 + 7 * size + 11
    expected = torch.tensor([index / size**2 % size, index / size % size, 11]) * (2 / 63) - 1
    torch.testing.assert_close(lattice[index], expected.float(), rtol=0, atol=1e-5)
    assert (lattice[index] - lattice_points(size, "regular")[index]).abs().max() > 1e-3


def test_box_is_strict_and_wants_points_in_front() -> None:
    pixels = torch.tensor([[[10.0, 10.0], [11.0, 11.0], [20.0, 15.0], [12.0, 12.0]]])
    visible = torch.tensor([[True, True, True, False]])
    box = torch.tensor([[10.0, 10.0, 20.0, 20.0]])
    assert inside_box(pixels, visible, box).tolist() == [[False, True, False, False]]


def _sphere(points: torch.Tensor) -> torch.Tensor:
    distance: torch.Tensor = torch.linalg.vector_norm(points, dim=-1, keepdim=True) - 0.5
    return distance


def _all(lattice: torch.Tensor, inside: torch.Tensor) -> Candidates:
    return choose_candidates(lattice, inside, len(lattice))


def test_takes_the_points_nearest_to_the_surface_inside_the_box() -> None:
    lattice = lattice_points(9, "regular")
    inside = (lattice[:, 0] > 0).unsqueeze(0)
    found = nearest_to_surface(_all(lattice, inside), _sphere, 40)
    ranked = sorted(
        (abs(float(_sphere(point))), tuple(point.tolist())) for point in lattice if point[0] > 0
    )
    torch.testing.assert_close(
        found.sdf[0, :, 0].abs(), torch.tensor([distance for distance, _ in ranked[:40]])
    )
    assert (found.points[0, :, 0] > 0).all()
    torch.testing.assert_close(found.sdf, _sphere(found.points))


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = lattice_points(9, "regular")
    inside = torch.ones(2, len(lattice), dtype=torch.bool)
    whole = nearest_to_surface(_all(lattice, inside), _sphere, 25)
    monkeypatch.setattr(point_sampler, "CHUNK", 100)
    pieces = nearest_to_surface(_all(lattice, inside), _sphere, 25)
    assert torch.equal(whole.points, pieces.points)


def test_fills_up_with_points_outside_when_too_few_are_inside() -> None:
    lattice = lattice_points(5, "regular")
    inside = torch.zeros(1, len(lattice), dtype=torch.bool)
    inside[0, 7] = True
    found = nearest_to_surface(_all(lattice, inside), _sphere, 4)
    assert torch.equal(found.points[0, 0], lattice[7])
    assert found.points.shape == (1, 4, 3)


def test_room_for_all_that_are_inside_is_as_good_as_the_whole_lattice() -> None:
    lattice = lattice_points(9, "regular")
    inside = torch.stack([lattice[:, 0] > 0.3, lattice[:, 1] < -0.6])
    room = int(inside.sum(dim=1).max())
    few = choose_candidates(lattice, inside, room)
    assert few.points.shape == (2, room, 3)
    assert torch.equal(few.inside.sum(dim=1), inside.sum(dim=1))
    dense = nearest_to_surface(_all(lattice, inside), _sphere, 30)
    sparse = nearest_to_surface(few, _sphere, 30)
    assert torch.equal(dense.sdf.abs(), sparse.sdf.abs())
    assert torch.equal(_sphere(sparse.points), sparse.sdf)
    assert (sparse.points[0, :, 0] > 0.3).all()
    assert (sparse.points[1, :, 1] < -0.6).all()
