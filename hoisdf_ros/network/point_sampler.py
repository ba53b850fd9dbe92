"""Which points to look at: those of a lattice that lie nearest to the surface (Sec. 3.2.1, 2.3)."""

from collections.abc import Callable

import torch
from torch import Tensor

from hoisdf_ros.config import Lattice
from hoisdf_ros.network.io import FieldPoints

FAR = 10.0
"""Stands for "outside the box" in a ranking of distances that lie within +-1."""

CHUNK = 1 << 15
"""Points evaluated at once, which bounds the memory that their pixel features take."""


def lattice_points(size: int, kind: Lattice) -> Tensor:
    """The lattice over [-1, 1]^3, z running fastest.

    Args:
        size: Points along an edge.
        kind: ``regular``; or ``sheared``, kept: the published code divides the running index
            without rounding, so that x and y drift with the faster axes.

    Returns:
        (size^3, 3) normalised coordinates.
    """
    index = torch.arange(size**3)
    if kind == "regular":
        x, y = (index // size**2).float(), (index // size % size).float()
    else:
        y = (index.float() / size) % size
        x = (index.float() / size / size) % size
    z = (index % size).float()
    return torch.stack([x, y, z], dim=-1) * (2.0 / (size - 1)) - 1.0


def inside_box(pixels: Tensor, visible: Tensor, box: Tensor) -> Tensor:
    """Which points are seen strictly inside a box.

    Args:
        pixels: (B, N, 2) where the points project to.
        visible: (B, N) bool, in front of the camera.
        box: (B, 4) x0, y0, x1, y1, pixels.

    Returns:
        (B, N) bool.
    """
    x, y = pixels.unbind(-1)
    x0, y0, x1, y1 = box.unsqueeze(-1).unbind(1)  # (B, 1) each
    return visible & (x > x0) & (y > y0) & (x < x1) & (y < y1)


def nearest_to_surface(
    lattice: Tensor, inside: Tensor, distance: Callable[[Tensor], Tensor], count: int
) -> FieldPoints:
    """The points with the smallest absolute distance, nearest first.

    Every lattice point is evaluated, whether it is inside or not: the shapes stay static, and
    this is the oracle of any faster search. Where fewer than ``count`` points are inside, points
    outside fill up the rest.

    Args:
        lattice: (L, 3) normalised coordinates.
        inside: (B, L) bool, which points may be taken.
        distance: Maps (B, N, 3) points to (B, N, 1) distances, not clamped.
        count: Points to keep.
    """
    batch = inside.shape[0]
    pieces = -(-len(lattice) // CHUNK)
    chunks = [distance(chunk.expand(batch, -1, -1)) for chunk in lattice.tensor_split(pieces)]
    sdf = torch.cat(chunks, dim=1)  # (B, L, 1)
    rank = torch.where(inside, sdf.squeeze(-1).abs(), FAR)
    _, index = rank.topk(count, dim=1, largest=False)
    return FieldPoints(lattice[index], sdf.gather(1, index.unsqueeze(-1)))
