"""Which points to look at: those of a lattice that lie nearest to the surface (Sec. 3.2.1, 2.3)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from hoisdf_ros.config import Lattice
from hoisdf_ros.network.io import FieldPoints
from hoisdf_ros.network.point_features import project

FAR = 10.0
"""Stands for "outside the box" in a ranking of distances that lie within +-1."""

CHUNK = 1 << 15
"""Points evaluated at once, which bounds the memory that their pixel features take."""


class Candidates(NamedTuple):
    """Points among which the nearest to the surface are sought.

    Attributes:
        points: (B, N, 3) normalised coordinates.
        inside: (B, N) bool, which of them may be taken.
    """

    points: Tensor
    inside: Tensor


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


def inside_box(
    pixels: Tensor, visible: Tensor, box: Tensor, margin: Tensor | None = None
) -> Tensor:
    """Which points are seen strictly inside a box.

    Args:
        pixels: (B, N, 2) where the points project to.
        visible: (B, N) bool, in front of the camera.
        box: (B, 4) x0, y0, x1, y1, pixels.
        margin: (B, N, 2) how far outside is still inside, in x and y, pixels; none by default.

    Returns:
        (B, N) bool.
    """
    x, y = pixels.unbind(-1)
    x0, y0, x1, y1 = box.unsqueeze(-1).unbind(1)  # (B, 1) each
    if margin is not None:
        dx, dy = margin.unbind(-1)
        x0, y0, x1, y1 = x0 - dx, y0 - dy, x1 + dx, y1 + dy
    return visible & (x > x0) & (y > y0) & (x < x1) & (y < y1)


def cube_in_box(metres: Tensor, half: float, intrinsics: Tensor, box: Tensor) -> Tensor:
    """Which cubes may be seen in a box; never false for one that is.

    A point (dx, dy, dz) beside the centre (x, y, z) is seen ``(f dx - (u - c) dz) / (z + dz)``
    beside the centre's pixel u, where c is the principal point.

    Args:
        metres: (B, N, 3) centres, camera frame.
        half: Half an edge, metres.
        intrinsics: (B, 3, 3) K without skew, pixels.
        box: (B, 4) x0, y0, x1, y1, pixels.

    Returns:
        (B, N) bool.
    """
    pixels, visible = project(metres, intrinsics)
    focal = intrinsics.diagonal(dim1=1, dim2=2)[:, None, :2]
    middle = intrinsics[:, None, :2, 2]
    nearest = metres[..., 2:] - half
    margin = half * (focal + (pixels - middle).abs()) / nearest.clamp(min=half)
    # one that reaches behind the image plane may be seen anywhere
    around = (nearest.squeeze(-1) < half) & (metres[..., 2] + half > 0)
    return around | inside_box(pixels, visible, box, margin)


def nearest_to_surface(
    candidates: Candidates, distance: Callable[[Tensor], Tensor], count: int
) -> FieldPoints:
    """The points with the smallest absolute distance, nearest first.

    Every candidate is evaluated, whether it is inside or not, so that shapes stay static. Where
    fewer than ``count`` are inside, others fill up the rest.

    Args:
        candidates: Where to look.
        distance: Maps (B, N, 3) points to (B, N, 1) distances, not clamped.
        count: Points to keep.
    """
    pieces = -(-candidates.points.shape[1] // CHUNK)
    chunks = [distance(chunk) for chunk in candidates.points.tensor_split(pieces, dim=1)]
    return chosen(candidates, torch.cat(chunks, dim=1), count)


def chosen(candidates: Candidates, sdf: Tensor, count: int) -> FieldPoints:
    """The candidates with the smallest absolute distance, nearest first.

    Args:
        candidates: Among which to choose.
        sdf: (B, N, 1) distances there, not clamped.
        count: Points to keep; where fewer are inside, others fill up the rest.
    """
    rank = torch.where(candidates.inside, sdf.squeeze(-1).abs(), FAR)
    _, index = rank.topk(count, dim=1, largest=False)
    index = index.unsqueeze(-1)
    return FieldPoints(candidates.points.gather(1, index.expand(-1, -1, 3)), sdf.gather(1, index))


def choose_candidates(lattice: Tensor, inside: Tensor, capacity: int) -> Candidates:
    """The lattice points worth evaluating: those inside, as many as there is room for.

    Args:
        lattice: (L, 3) normalised coordinates.
        inside: (B, L) bool, which points may be taken.
        capacity: Points N to give; exact as long as no more are inside. L gives all.

    Returns:
        Points inside before points outside, each in the order of the lattice.
    """
    batch = inside.shape[0]
    if capacity >= len(lattice):
        return Candidates(lattice.expand(batch, -1, -1), inside)
    order = (~inside).to(torch.uint8).argsort(dim=1, stable=True)[:, :capacity]
    return Candidates(lattice[order], inside.gather(1, order))
