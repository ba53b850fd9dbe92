"""The surface of a signed distance field: its zero level as a triangle mesh.

Any field will do: a network's, for measuring it and for objects nobody has a mesh of, or that of
a known shape, for testing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.geometry.mesh import face_normals

Field = Callable[[Array], Array]
"""Signed distance (N,), negative inside, NaN where unknown, at (N, 3) points; metres."""

_Flags = NDArray[np.bool_]

STEP = 4
"""Cells of the fine grid along the edge of a cell of the coarse one."""

_SLACK = 1.5
"""How much faster than a true distance a predicted one may change without being missed."""


@dataclass(frozen=True)
class Grid:
    """The cells in which a surface is sought: a cube around the origin of the field's frame.

    Args:
        half_edge: Half the cube's edge, metres.
        cells: Along an edge; a multiple of `STEP`. AlignSDF and gSDF take 128.

    Raises:
        ConfigError: No edge, or no such multiple.
    """

    half_edge: float
    cells: int = 128

    def __post_init__(self) -> None:
        """Refuse what coarse and fine cells cannot share."""
        if self.cells <= 0 or self.cells % STEP or not self.half_edge > 0:
            raise ConfigError(
                f"grid of {self.cells} cells over +-{self.half_edge} m: expected a positive edge "
                f"and a positive multiple of {STEP} cells"
            )

    @property
    def spacing(self) -> float:
        """Edge of a cell, metres."""
        return 2 * self.half_edge / self.cells

    def points(self, corners: Array) -> Array:
        """(N, 3) metres of corners that are counted in cells from the cube's lowest corner."""
        return corners * self.spacing - self.half_edge


def surface_of(field: Field, grid: Grid) -> Mesh | None:
    """The field's zero level (marching cubes, Lewiner et al. 2003).

    Only the component with the largest area is kept: far from what the image shows, a predicted
    field grows islands. Where the surface leaves the grid, or reaches unknown values, it is left
    open; nothing is invented to close it.

    Args:
        field: The field.
        grid: Where to look.

    Returns:
        Metres, frame of the field, faces anticlockwise seen from outside; None without a surface.
    """
    values, cells = sample(field, grid)
    if not cells.any() or not values.min() < 0 < values.max():
        return None
    looked_at = np.zeros(values.shape, dtype=np.bool_)
    looked_at[1:, 1:, 1:] = cells  # the library asks at a cell's highest corner
    try:
        corners, faces, _, _ = marching_cubes(values, 0.0, mask=looked_at, allow_degenerate=False)
    except RuntimeError:  # both signs, yet none beside the other in a known cell
        return None
    mesh = Mesh(grid.points(np.asarray(corners, dtype=float)), np.asarray(faces, dtype=np.int32))
    return largest_component(mesh) if len(mesh.faces) else None


def sample(field: Field, grid: Grid) -> tuple[Array, _Flags]:
    """The field's values where its surface may be.

    The field is first asked on a grid `STEP` times as coarse. A true distance changes by no more
    than the way gone, so most coarse cells cannot hold a piece of surface and are left out.

    Returns:
        values (C+1, C+1, C+1) at the corners of the grid, metres, the largest one where not asked;
        cells (C, C, C) bool, whose eight corners are all known.
    """
    coarse = np.arange(0, grid.cells + 1, STEP, dtype=float)
    shape = (len(coarse),) * 3
    corners = np.stack(np.meshgrid(coarse, coarse, coarse, indexing="ij"), axis=-1)
    seen = field(grid.points(corners.reshape(-1, 3))).reshape(shape)
    reach = _SLACK * np.sqrt(3) / 2 * STEP * grid.spacing  # to the nearest corner of a cell
    near = ~(_over_corners(np.minimum, np.abs(seen)) > reach)
    cells = near.repeat(STEP, 0).repeat(STEP, 1).repeat(STEP, 2)
    padded = np.pad(cells, 1)
    wanted = np.argwhere(_over_corners(np.logical_or, padded))
    values = np.full((grid.cells + 1,) * 3, np.nan)
    if len(wanted):
        values[tuple(wanted.T)] = field(grid.points(wanted.astype(float)))
    known = np.isfinite(values)
    cells &= _over_corners(np.logical_and, known)
    values[~known] = values[known].max() if known.any() else 0.0
    return values, cells


def largest_component(mesh: Mesh) -> Mesh:
    """The connected piece with the largest area, without the vertices of the others."""
    count, a = len(mesh.vertices), mesh.faces[:, 0]
    edges = coo_array(
        (np.ones(2 * len(a)), (np.tile(a, 2), mesh.faces[:, 1:].T.ravel())), shape=(count, count)
    )
    _, piece = connected_components(edges, directed=False)
    area = np.linalg.norm(face_normals(mesh.vertices, mesh.faces), axis=1)
    largest = np.bincount(piece[a], weights=area).argmax()
    faces = mesh.faces[piece[a] == largest]
    kept, numbered = np.unique(faces, return_inverse=True)
    return Mesh(mesh.vertices[kept], numbered.reshape(-1, 3).astype(np.int32))


def _over_corners(join: np.ufunc, values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Join the values at the eight corners of every cell; one shorter along each axis."""
    for axis in range(3):
        low = [slice(None)] * 3
        high = [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        values = join(values[tuple(low)], values[tuple(high)])
    return values
