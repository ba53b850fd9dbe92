"""The coarse-to-fine search against the dense one, on fields that are known."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from hoisdf_ros.config import NetworkConfig, preset
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.network.coarse_to_fine import CellTree, Region, coarse_to_fine
from hoisdf_ros.network.io import FieldPoints
from hoisdf_ros.network.point_features import project
from hoisdf_ros.network.point_sampler import (
    Candidates,
    cube_in_box,
    inside_box,
    lattice_points,
    nearest_to_surface,
)
from hoisdf_ros.search_budget import SearchBudget

SIZE = 32


def _fingers(points: Tensor) -> Tensor:
    """Distance to five rods of 2 cm, as thin as fingers, and to a ball, 3.1 units a metre."""
    ball = points.norm(dim=-1) - 0.13
    ends = torch.tensor([[0.45, 0.12 * k - 0.24, 0.1] for k in range(5)])
    along = (points.unsqueeze(-2) * ends).sum(-1) / (ends * ends).sum(-1)
    nearest = along.clamp(0, 1).unsqueeze(-1) * ends
    rods = (points.unsqueeze(-2) - nearest).norm(dim=-1).amin(dim=-1) - 0.03
    nearer: Tensor = torch.minimum(ball, rods).unsqueeze(-1)
    return nearer


def _box(points: Tensor) -> Tensor:
    """Distance to a box of 20 x 12 x 6 cm."""
    beyond = points.abs() - torch.tensor([0.31, 0.19, 0.09])
    outside = beyond.clamp(min=0).norm(dim=-1)
    distance: Tensor = (outside + beyond.amax(dim=-1).clamp(max=0)).unsqueeze(-1)
    return distance


Field = Callable[[Tensor], Tensor]
FIELDS: tuple[Field, ...] = _fingers, _box


def _everywhere(points: Tensor, half: float) -> Tensor:  # noqa: ARG001
    return torch.ones(points.shape[:2], dtype=torch.bool)


def _search(
    lattice: Tensor, budget: SearchBudget, count: int, fields: Sequence[Field] = FIELDS
) -> list[FieldPoints]:
    regions = [Region(_everywhere, budget, count) for _ in fields]

    def evaluate(points: Sequence[Tensor]) -> list[Tensor]:
        return [field(some).clamp(-0.15, 0.15) for field, some in zip(fields, points, strict=True)]

    return coarse_to_fine(CellTree(lattice, len(budget.kept)), regions, evaluate)


def _dense(lattice: Tensor, field: Field, count: int) -> FieldPoints:
    inside = torch.ones(1, len(lattice), dtype=torch.bool)
    return nearest_to_surface(Candidates(lattice.unsqueeze(0), inside), field, count)


@pytest.mark.parametrize("kind", ["regular", "sheared"])
def test_leaves_of_the_tree_are_the_lattice_once_each(kind: str) -> None:
    lattice = lattice_points(8, "regular" if kind == "regular" else "sheared")
    tree = CellTree(lattice, 2)
    index, centers = tree.split(1, torch.arange(8).unsqueeze(0))
    leaf, points = tree.split(2, index)
    assert leaf[0].tolist() == list(range(512))
    as_set = {tuple(row) for row in points[0].tolist()}
    assert as_set == {tuple(row) for row in lattice.tolist()}
    torch.testing.assert_close(points.view(1, 64, 8, 3).mean(dim=2), centers)
    apart = (points.view(8, 64, 3) - tree.coarsest.unsqueeze(1)).abs().max()
    assert tree.reach == pytest.approx([float(apart), tree.reach[1], 0.0], abs=1e-6)


@pytest.mark.parametrize("kind", ["regular", "sheared"])
def test_finds_what_the_dense_search_finds(kind: str) -> None:
    """An eighth of the lattice is looked at, and the distances are those of the best points."""
    lattice = lattice_points(SIZE, "regular" if kind == "regular" else "sheared")
    budget = SearchBudget(512, (160, 320))
    assert budget.evaluated < len(lattice) / 7
    known = {tuple(row) for row in lattice.tolist()}
    for field, found in zip(FIELDS, _search(lattice, budget, 100), strict=True):
        dense = _dense(lattice, field, 100)
        torch.testing.assert_close(found.sdf.abs(), dense.sdf.abs(), rtol=0, atol=1e-6)
        torch.testing.assert_close(field(found.points), found.sdf)
        assert {tuple(row) for row in found.points[0].tolist()} <= known


def test_a_budget_that_is_too_small_is_noticed_here() -> None:
    lattice = lattice_points(SIZE, "regular")
    (found,) = _search(lattice, SearchBudget(512, (10, 15)), 100, (_fingers,))
    assert found.sdf.abs().max() > _dense(lattice, _fingers, 100).sdf.abs().max() * 1.05


def test_a_cube_is_in_the_box_when_any_of_its_points_is() -> None:
    generator = torch.Generator().manual_seed(0)
    intrinsics = torch.tensor([[[300.0, 0, 120], [0, 310, 130], [0, 0, 1]]])
    box = torch.tensor([[100.0, 90.0, 150.0, 160.0]])
    centers = torch.rand(1, 400, 3, generator=generator) * torch.tensor([0.6, 0.6, 1.0])
    centers = centers - torch.tensor([0.3, 0.3, 0.1])  # some of them behind the camera
    half = 0.03
    within = half * (2 * torch.rand(1, 400, 300, 3, generator=generator) - 1)
    points = (centers.unsqueeze(2) + within).flatten(1, 2)
    seen = inside_box(*project(points, intrinsics), box).view(1, 400, 300).any(dim=-1)
    claimed = cube_in_box(centers, half, intrinsics, box)
    assert (claimed | ~seen).all()
    assert 0 < seen.sum() <= claimed.sum() < 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lattice_size": 30}, "lattice_size 30 does not divide by 4"),
        ({"hand_search": SearchBudget(64, (8,))}, "cells of 1 levels and object_search of 2"),
        ({"hand_search": SearchBudget(64, (128, 320))}, r"\(128, 320, 600\) are wanted of \(64"),
        ({"hand_search": SearchBudget(4000, (128, 320))}, "best 3840 at most"),
    ],
)
def test_budgets_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(preset("dexycb"), sampler="coarse_to_fine", **changes)  # type: ignore[arg-type]


def test_every_presets_own_budget_can_be() -> None:
    for name in ("demo", "dexycb", "ho3d", "ho3d_render"):
        config: NetworkConfig = replace(preset(name), sampler="coarse_to_fine")
        assert config.hand_search.evaluated < config.lattice_size**3
