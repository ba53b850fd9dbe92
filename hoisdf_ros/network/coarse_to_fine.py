"""The points of a lattice nearest to a surface, found without looking at most of them.

A signed distance changes no faster than its argument moves. So a cell whose centre is farther
from the surface than from the cell's own corners holds no surface point, and of two cells of one
size the one whose centre is nearer to the surface holds the nearer points, up to the cell's size.
The search therefore looks at the centres of coarse cells, splits those nearest to the surface
into 2x2x2 each, and so on down to the points of the lattice. How many are split is fixed
(`config.SearchBudget`), so that shapes are static. `point_sampler.nearest_to_surface` over the
whole lattice is the oracle.

Axes: B batch, K cells or points.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hoisdf_ros.network.io import FieldPoints
from hoisdf_ros.network.point_sampler import FAR, Candidates, chosen
from hoisdf_ros.search_budget import SearchBudget


class CellTree(nn.Module):
    """The points of a lattice as the leaves of a tree of cells.

    Args:
        lattice: (n^3, 3) normalised coordinates, of any `config.Lattice`.
        levels: Levels L of cells above the points; the coarsest hold 2^L points along an edge,
            and n must divide by that.
    """

    coarsest: Tensor

    def __init__(self, lattice: Tensor, levels: int) -> None:
        super().__init__()
        self.levels = levels
        edge = round(len(lattice) ** (1 / 3)) >> levels
        axes = 1 + levels  # of an index along one edge: coarsest cell, then halves
        grid = lattice.view(*(3 * (edge, *levels * (2,))), 3)
        order = [edge_axis * axes + depth for depth in range(axes) for edge_axis in range(3)]
        leaves = grid.permute(*order, 3 * axes).reshape(edge**3, *levels * (8,), 3)
        self.reach = []
        """Of each level's cells: the farthest that a point is from the centre along an axis."""
        for level in range(levels + 1):
            inside = tuple(range(1 + level, 1 + levels))
            centers = leaves.mean(dim=inside) if inside else leaves
            apart = leaves - centers.view(*centers.shape[:-1], *len(inside) * (1,), 3)
            self.reach.append(float(apart.abs().max()))
            # a parent's row holds its eight children
            rows = centers if level == 0 else centers.reshape(-1, 8, 3)
            self.register_buffer(_table(level), rows.contiguous(), persistent=False)

    def split(self, level: int, parents: Tensor) -> tuple[Tensor, Tensor]:
        """The cells of a level, or at the last level points, that cells above them hold.

        Args:
            level: Of the children, from 1.
            parents: (B, K) index of the parents in their level.

        Returns:
            (B, 8 K) index of the children in theirs, and their centres (B, 8 K, 3).
        """
        index = 8 * parents.unsqueeze(-1) + torch.arange(8, device=parents.device)
        centers = self.get_buffer(_table(level))[parents]  # (B, K, 8, 3)
        return index.flatten(1), centers.flatten(1, 2)


class Region(NamedTuple):
    """Where one field is searched, and how much of it.

    Attributes:
        touches: Maps (B, K, 3) points and a half edge, both normalised, to (B, K) bool: may a
            cell so large around the point hold allowed points? Exact for a half edge of zero.
        budget: Points to evaluate.
        wanted: Points to give.
    """

    touches: Callable[[Tensor, float], Tensor]
    budget: SearchBudget
    wanted: int


class _Cells(NamedTuple):
    number: Tensor
    where: Candidates


Evaluate = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""From (B, K, 3) points of each region to (B, K, 1) distances, not clamped."""


def coarse_to_fine(
    tree: CellTree, regions: Sequence[Region], evaluate: Evaluate
) -> list[FieldPoints]:
    """Search several fields in step, so that each level is one evaluation of them all.

    Args:
        tree: The lattice.
        regions: One a field.
        evaluate: The fields.

    Returns:
        Of each region the points of the lattice with the smallest absolute distance among those
        evaluated, nearest first, distances not clamped.
    """
    found = [_nearest_to_center(tree, region) for region in regions]
    for level in range(1, tree.levels + 1):
        distances = evaluate([cells.where.points for cells in found])
        found = [
            _split(tree, level, region, _keep(cells, sdf, region.budget.kept[level - 1]))
            for region, cells, sdf in zip(regions, found, distances, strict=True)
        ]
    distances = evaluate([cells.where.points for cells in found])
    return [
        chosen(cells.where, sdf, region.wanted)
        for region, cells, sdf in zip(regions, found, distances, strict=True)
    ]


def _nearest_to_center(tree: CellTree, region: Region) -> _Cells:
    """The coarsest cells that may hold allowed points, nearest to the field's centre first."""
    centers = tree.coarsest.unsqueeze(0)  # (1, cells, 3)
    touched = region.touches(centers, tree.reach[0])
    rank = torch.where(touched, (centers * centers).sum(dim=-1), FAR)
    seen = min(region.budget.seen, centers.shape[1])
    _, index = rank.topk(seen, dim=1, largest=False)
    return _Cells(index, Candidates(tree.coarsest[index], touched.gather(1, index)))


def _keep(cells: _Cells, sdf: Tensor, count: int) -> Tensor:
    """(B, count) index of the cells whose centres are nearest to the surface."""
    rank = torch.where(cells.where.inside, sdf.squeeze(-1).abs(), FAR)
    _, best = rank.topk(count, dim=1, largest=False)
    return cells.number.gather(1, best)


def _split(tree: CellTree, level: int, region: Region, kept: Tensor) -> _Cells:
    index, centers = tree.split(level, kept)
    return _Cells(index, Candidates(centers, region.touches(centers, tree.reach[level])))


def _table(level: int) -> str:
    return f"level_{level}" if level else "coarsest"
