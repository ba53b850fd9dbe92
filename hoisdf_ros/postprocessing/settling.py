"""A known shape settled onto what a frame shows.

Its surface goes onto a field's zero level, and that level and measured points onto its surface:
Gauss-Newton over turn and place, of several starts at once, with weights that drop what is far
off (Tukey), whose reach shrinks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid

REACH_M = (0.05, 0.03, 0.02, 0.015)
"""Farther off than this, a point has no say; round after round."""

CLAMP_M = 0.02
"""Farther off than this is all the same when poses are compared."""

_DAMPING = 1e-3
_LONGEST_STEP = np.array([0.03, 0.03, 0.03, 0.4, 0.4, 0.4])  # metres, then radians
_LEVER_M = 0.05  # so far from the middle a turn moves the surface of a handy thing


@dataclass(frozen=True, eq=False)
class Shape:
    """A known shape.

    Args:
        points: (N, 3) on its surface, its own frame, metres.
        distance: Signed distance to it.
    """

    points: Array
    distance: SignedDistanceGrid


@dataclass(frozen=True, eq=False)
class Seen:
    """What the shape is settled onto, one frame for all.

    Args:
        field: Whose zero level is the surface, metres; None where only depth counts.
        level: (M, 3) points of that level; none without a field.
        measured: (K, 3) measured points of the object; may be none beside a field.
    """

    field: SignedDistanceGrid | None
    level: Array
    measured: Array

    @classmethod
    def by_depth(cls, measured: Array) -> "Seen":
        """Measured points (K, 3) alone."""
        return cls(None, np.zeros((0, 3)), measured)


@dataclass(frozen=True, eq=False)
class Poses:
    """Several poses of one shape.

    Args:
        rotation: (S, 3, 3) frame of `Seen` from that of the shape.
        translation: (S, 3) metres.
    """

    rotation: Array
    translation: Array

    def pick(self, which: NDArray[np.integer]) -> "Poses":
        """Some of them, by index."""
        return Poses(self.rotation[which], self.translation[which])

    def placed(self, points: Array) -> Array:
        """(S, N, 3) points (N, 3) of the shape in every pose."""
        placed: Array = points @ self.rotation.transpose(0, 2, 1) + self.translation[:, None]
        return placed

    def returned(self, points: Array) -> Array:
        """(S, N, 3) points (N, 3) of `Seen` in the frame of the shape in every pose."""
        back: Array = (points - self.translation[:, None]) @ self.rotation
        return back


@dataclass(frozen=True, eq=False)
class Misfit:
    """Mean distances up to `CLAMP_M` of every pose, (S,) metres; NaN where nothing is seen.

    Args:
        surface: Of the shape's surface from the zero level.
        level: Of the zero level from the shape.
        measured: Of the measured points from the shape.
    """

    surface: Array
    level: Array
    measured: Array

    @property
    def total(self) -> Array:
        """(S,) the sum, for telling a better pose from a worse one."""
        parts = (self.surface, self.level, self.measured)
        total: Array = np.sum([np.nan_to_num(part) for part in parts], axis=0)
        return total


def misfit(shape: Shape, seen: Seen, poses: Poses) -> Misfit:
    """How far the shape in each pose is from what is seen."""
    nothing = np.full(len(poses.rotation), np.nan)
    level, measured = (
        _clamped(shape.distance(poses.returned(points))) if len(points) else nothing
        for points in (seen.level, seen.measured)
    )
    field = seen.field
    surface = nothing if field is None else _clamped(field(poses.placed(shape.points)))
    return Misfit(surface, level, measured)


def settle(shape: Shape, seen: Seen, poses: Poses, reaches: Sequence[float] = REACH_M) -> Poses:
    """Move every pose to where the shape fits better, a round for each of ``reaches``."""
    for reach in reaches:
        poses = _moved(poses, *equations(shape, seen, poses, reach))
    return poses


def equations(shape: Shape, seen: Seen, poses: Poses, reach: float) -> tuple[Array, Array]:
    """The least squares that say how each pose should move.

    Returns:
        (S, 6, 6) and (S, 6): of a step, then of a turn around the shape's origin, along the axes
        of `Seen`; each kind of points counts as much as one point.
    """
    parts = [
        _onto_shape(shape, points, poses, reach)
        for points in (seen.level, seen.measured)
        if len(points)
    ]
    if seen.field is not None:
        parts.append(_onto_field(shape, seen.field, poses, reach))
    matrix: Array = np.sum([more for more, _ in parts], axis=0)
    pull: Array = np.sum([stronger for _, stronger in parts], axis=0)
    return matrix, pull


def lookup(grid: SignedDistanceGrid, points: Array) -> tuple[Array, Array]:
    """Values (...) and gradients (..., 3) of a grid at (..., 3) points, trilinear.

    Beyond the grid as `SignedDistanceGrid`: the border's value plus the way to it.
    """
    flat = points.reshape(-1, 3)
    shape = np.array(grid.values.shape)
    cells = (flat - grid.origin) / grid.spacing
    held = np.clip(cells, 0.0, shape - 1)
    first = np.minimum(held.astype(np.int64), shape - 2)
    u, v, w = (held - first).T
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    base, values = first @ strides, grid.values.ravel()
    corner = [values[base + i * strides[0] + j * strides[1] + k] for i, j, k in np.ndindex(2, 2, 2)]
    along_w = [corner[2 * n] + w * (corner[2 * n + 1] - corner[2 * n]) for n in range(4)]
    slope_w = [corner[2 * n + 1] - corner[2 * n] for n in range(4)]
    low, high = (along_w[n] + v * (along_w[n + 1] - along_w[n]) for n in (0, 2))
    slope_v = [along_w[n + 1] - along_w[n] for n in (0, 2)]
    across_w = [slope_w[n] + v * (slope_w[n + 1] - slope_w[n]) for n in (0, 2)]
    gradient = np.stack(
        [
            high - low,
            slope_v[0] + u * (slope_v[1] - slope_v[0]),
            across_w[0] + u * (across_w[1] - across_w[0]),
        ],
        axis=1,
    )
    over = (cells - held) * grid.spacing
    way = np.linalg.norm(over, axis=1)
    gradient = gradient / grid.spacing * (over == 0) + over / np.maximum(way, 1e-12)[:, None]
    value = low + u * (high - low) + way
    return value.reshape(points.shape[:-1]), gradient.reshape(points.shape)


def _clamped(distance: Array) -> Array:
    mean: Array = np.minimum(np.abs(distance), CLAMP_M).mean(axis=1)
    return mean


def _onto_field(
    shape: Shape, field: SignedDistanceGrid, poses: Poses, reach: float
) -> tuple[Array, Array]:
    """Surface points onto the zero level."""
    arms = poses.placed(shape.points) - poses.translation[:, None]
    value, slope = lookup(field, arms + poses.translation[:, None])
    turning: Array = np.cross(arms, slope).astype(np.float64)
    return _equations(value, slope, turning, reach)


def _onto_shape(shape: Shape, target: Array, poses: Poses, reach: float) -> tuple[Array, Array]:
    """Points of the frame onto the shape's surface."""
    value, slope = lookup(shape.distance, poses.returned(target))
    normal = slope @ poses.rotation.transpose(0, 2, 1)
    arms = target - poses.translation[:, None]
    turning: Array = np.cross(normal, arms).astype(np.float64)
    return _equations(value, -normal, turning, reach)


def _equations(value: Array, slope: Array, turning: Array, reach: float) -> tuple[Array, Array]:
    """(S, 6, 6) and (S, 6) of the least squares for a step and a turn."""
    weight = np.maximum(1 - (value / reach) ** 2, 0.0) ** 2 / value.shape[1]
    rows = np.concatenate([slope, turning], axis=2)
    weighted = rows * weight[..., None]
    pull: Array = -(weighted * value[..., None]).sum(axis=1)
    return weighted.transpose(0, 2, 1) @ rows, pull


def _moved(poses: Poses, matrix: Array, pull: Array) -> Poses:
    damped = matrix + _DAMPING * np.diag([1, 1, 1, *3 * [_LEVER_M**2]])
    step = np.linalg.solve(damped, pull[..., None])[..., 0]
    step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
    turn = matrix_from_rotation_vector(step[:, 3:])
    return Poses(turn @ poses.rotation, poses.translation + step[:, :3])
