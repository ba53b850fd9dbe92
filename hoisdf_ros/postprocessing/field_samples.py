"""A field asked once and looked up often: its values on a grid around the surface it has.

Asking a network is dear and many poses of many meshes are tried on one field, so its values are
tabulated; between them a distance is nearly linear.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from hoisdf_ros.conventions import MIRROR
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid
from hoisdf_ros.postprocessing.field_surface import Field, Grid, surface_of

COARSE = 14
"""Points along an edge of the first look: 30 mm apart in a cube of 20 cm to each side."""

FINE_M = 0.01
"""Between neighbours of the second look, or more where the surface is large."""

_MOST_FINE = 26  # points along an edge of the second look: 17 576 in all
_MARGIN_M = 0.03
_MIN_LEVEL_POINTS = 12
_SURFACE_CELLS = 32  # along the cube's edge, of a surface that is shown


def unmirrored(field: Field) -> Field:
    """The field of a mirrored crop along the axes of the image's own camera."""
    return lambda points: field(points @ MIRROR)


@dataclass(frozen=True, eq=False)
class FieldSamples:
    """The field around its zero level.

    Args:
        grid: Its values, metres; the frame of the field.
        level: (N, 3) points on its zero level, metres.
        middle: (3,) of the region inside, metres.
        axes: (3, 3) its principal directions as columns, the longest first, right-handed.
        volume: Inside, cubic metres.
    """

    grid: SignedDistanceGrid
    level: Array
    middle: Array
    axes: Array
    volume: float


def sample_field(field: Field, half_edge: float) -> FieldSamples | None:
    """Tabulate a field around the largest region that it calls inside.

    Args:
        field: The field.
        half_edge: Half the edge of the cube around its origin in which it means something, metres.

    Returns:
        None when the field is nowhere negative, or hardly.
    """
    axis: Array = np.linspace(-half_edge, half_edge, COARSE, dtype=np.float64)
    coarse = _ask(field, (axis, axis, axis))
    near = coarse < min(axis[1] - axis[0], 0.75 * float(np.nanmax(coarse, initial=0.0)))
    low, high = _extent(coarse, near)
    if low is None or high is None:
        return None
    reach = _MARGIN_M - (axis[1] - axis[0]) / 2
    start = np.maximum(axis[low] - reach, -half_edge)
    end = np.minimum(axis[high] + reach, half_edge)
    spacing = max(FINE_M, float((end - start).max()) / (_MOST_FINE - 1))
    counts = np.ceil((end - start) / spacing - 1e-6).astype(int) + 1
    axes = tuple(start[k] + spacing * np.arange(counts[k]) for k in range(3))
    values = _only_largest(_ask(field, axes))
    level = _level_points(values) * spacing + start
    if len(level) < _MIN_LEVEL_POINTS:
        return None
    inside = np.argwhere(values < 0) * spacing + start
    middle = inside.mean(axis=0)
    grid = SignedDistanceGrid(start, spacing, values.astype(np.float32))
    volume = len(inside) * spacing**3
    return FieldSamples(grid, level, middle, principal_axes(inside), volume)


def principal_axes(points: Array) -> Array:
    """(3, 3) directions of largest to smallest spread of (N, 3) points, right-handed columns."""
    _, vectors = np.linalg.eigh(np.cov(points, rowvar=False) + 1e-12 * np.eye(3))
    axes = vectors[:, ::-1].copy()
    axes[:, 2] = np.cross(axes[:, 0], axes[:, 1])
    return axes


def field_mesh(field: Field, half_edge: float, cells: int = _SURFACE_CELLS) -> Mesh | None:
    """The field's surface, coarse enough to be made while the camera runs.

    Args:
        field: The field.
        half_edge: Half the edge of the cube around its origin in which it means something, metres.
        cells: Along the cube's edge, a multiple of 4.

    Returns:
        Metres, frame of the field; None when it has no surface.
    """
    return surface_of(field, Grid(half_edge, cells))


def _ask(field: Field, axes: tuple[Array, ...]) -> Array:
    """Values on a grid, the largest where unknown."""
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = field(points.reshape(-1, 3)).reshape(points.shape[:3])
    largest = float(np.nanmax(values, initial=0.0))
    asked: Array = np.where(np.isfinite(values), values, largest)
    return asked


def _extent(
    values: Array, near: NDArray[np.bool_]
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """Lowest and highest corner of the region that holds the most negative values."""
    pieces, count = label(near)
    if not count:
        return None, None
    weight = np.bincount(pieces.ravel(), weights=np.maximum(-values, 1e-6).ravel())
    weight[0] = 0.0
    places = np.argwhere(pieces == weight.argmax())
    return places.min(axis=0), places.max(axis=0)


def _only_largest(values: Array) -> Array:
    """The values with all regions inside but the largest turned outside."""
    pieces, count = label(values < 0)
    if count < 2:
        return values
    largest = np.bincount(pieces.ravel())[1:].argmax() + 1
    island = (pieces > 0) & (pieces != largest)
    cleaned: Array = np.where(island, -values, values)
    return cleaned


def _level_points(values: Array) -> Array:
    """(N, 3) where the values cross zero between neighbours, in cells from the first point."""
    found = []
    for axis in range(3):
        one = np.moveaxis(values, axis, 0)
        crossing = np.argwhere((one[:-1] < 0) != (one[1:] < 0))
        a = one[tuple(crossing.T)]
        b = one[tuple((crossing + np.array([1, 0, 0])).T)]
        place = np.empty(crossing.shape)
        place[:, [axis, *_others(axis)]] = crossing
        place[:, axis] += a / (a - b)
        found.append(place)
    return np.concatenate(found)


def _others(axis: int) -> list[int]:
    return [k for k in range(3) if k != axis]
