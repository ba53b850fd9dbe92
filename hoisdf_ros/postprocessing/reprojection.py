"""The wrist without depth: the place from which a hand's 3D joints are seen at their 2D ones.

With n = K^-1 (u, v, 1) the ray to a joint at X from the wrist, the wrist t obeys two linear
equations a joint: ``t_x - n_x t_z = n_x X_z - X_x``, and the same in y. Divided by the joint's
depth, their errors are those of its pixels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import RootSource
from hoisdf_ros.datatypes import Array, Camera, Root
from hoisdf_ros.errors import RootError
from hoisdf_ros.geometry.camera import backproject
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.postprocessing.clues import Clues

_Flags = NDArray[np.bool_]

MIN_JOINTS = 6
"""Among fewer joints no outlier can be told."""

SIZE_STDDEV = 0.04
"""Of the size of hands, as a share: one picture does not tell a larger hand from a nearer one."""

TURN_STDDEV = 0.5
"""How far the network's turn is to be trusted, radians."""

_ROUNDS = 10
_HUBER = 1.345  # deviations from which on a joint pulls less; costs 5 % where none is wrong
_MEDIAN_RADIUS = 1.1774  # of a normal distribution in the plane, deviations
_PIXEL_FLOOR = 1.0  # no detector is better
_NEAREST_M = 0.05


class Placed(NamedTuple):
    """Wrists of B hands; NaN where they cannot be told.

    Attributes:
        positions: (B, 3) metres, camera frame.
        covariances: (B, 3, 3) square metres, mostly along the ray.
        spread: (B,) robust standard deviation of the joints' pixels.
    """

    positions: Array
    covariances: Array
    spread: Array


def wrists_from_pixels(joints: Array, pixels: Array, camera: Camera) -> Placed:
    """Translation-only least squares over the joints, robust to some wrong ones (Huber 1964).

    Args:
        joints: (B, J, 3) metres from the wrist, camera axes.
        pixels: (B, J, 2) where they are seen; NaN where they are not.
        camera: Of the image.
    """
    system = _system(joints, pixels, camera)
    weights = system.seen.astype(float)
    for _ in range(_ROUNDS):
        normal, place = _solved(system, weights)
        weights, spread = _weights(system, place)
    covariances = spread[:, None, None] ** 2 * np.linalg.inv(normal)
    covariances += SIZE_STDDEV**2 * place[:, :, None] * place[:, None, :]
    unknown = (system.seen.sum(axis=1) < MIN_JOINTS) | ~(place[:, 2] > _NEAREST_M)
    place[unknown], covariances[unknown], spread[unknown] = np.nan, np.nan, np.nan
    return Placed(place, covariances, spread)


def root_from_pixels(joints: Array, pixels: Array, camera: Camera) -> Root:
    """The wrist of one hand; see `wrists_from_pixels`.

    Args:
        joints: (J, 3) metres from the wrist, camera axes.
        pixels: (J, 2) where they are seen; NaN where they are not.
        camera: Of the image.

    Raises:
        RootError: Too few joints are seen, or they are seen as from behind.
    """
    placed = wrists_from_pixels(joints[None], pixels[None], camera)
    if not np.isfinite(placed.positions).all():
        count = int(np.isfinite(pixels).all(axis=1).sum())
        raise RootError(
            f"{count} joints seen in the image put the hand nowhere in front of the camera: "
            f"expected {MIN_JOINTS} or more that belong to one hand; bring it further into view"
        )
    return Root(placed.positions[0], placed.covariances[0], RootSource.DETECTION)


class Turned(NamedTuple):
    """A hand that is turned to its landmarks.

    Attributes:
        turn: (3, 3) around the wrist, camera axes.
        place: (3,) of the wrist, metres, camera frame.
    """

    turn: Array
    place: Array


def inside(pixels: Array, camera: Camera) -> _Flags:
    """(J,) bool, which pixels (J, 2) the image has."""
    last = np.array([camera.width - 1, camera.height - 1])
    within: _Flags = np.all((pixels >= 0) & (pixels <= last), axis=1)
    return within


def rays(pixels: Array, camera: Camera) -> Array:
    """Slopes x / z and y / z of rays (J, 2) to pixels (J, 2); NaN beyond the image: all guess."""
    known = inside(pixels, camera)[:, None]
    slopes: Array = np.where(known, backproject(pixels, 1.0, camera)[:, :2], np.nan)
    return slopes


def turned_to_pixels(joints: Array, pixels: Array, place: Array, camera: Camera) -> Turned:
    """Turn a hand, and move it across the ray, to where its joints are seen.

    How far it is stays: that, a turn would only pretend to tell.

    Args:
        joints: (21, 3) metres from the wrist, camera axes.
        pixels: (21, 2) landmarks.
        place: (3,) of the wrist, metres, camera frame.
        camera: Of the image.
    """
    clues = Clues(joints, TURN_STDDEV, rays(pixels, camera))
    turn, free = np.eye(3), [0, 1, 3, 4, 5]  # not along the axis that looks forward
    for _ in range(_ROUNDS):
        matrix, pull = clues.at(turn, place, np.zeros(3))
        step = np.zeros(6)
        step[free] = np.linalg.solve(matrix[np.ix_(free, free)], pull[free])
        place = place + step[:3]
        turn = matrix_from_rotation_vector(step[3:]) @ turn
    return Turned(turn, place)


class _System(NamedTuple):
    """Equations ``matrix t = right`` of every joint, times the focal length.

    Attributes:
        matrix: (B, J, 2, 3) pixels.
        right: (B, J, 2) pixels times metres.
        behind: (B, J) how much farther than the wrist each joint is, metres.
        seen: (B, J) joints that count.
    """

    matrix: Array
    right: Array
    behind: Array
    seen: _Flags


def _system(joints: Array, pixels: Array, camera: Camera) -> _System:
    seen: _Flags = np.isfinite(np.concatenate([joints, pixels], axis=2)).all(axis=2)
    joints, pixels = (np.where(seen[..., None], part, 0.0) for part in (joints, pixels))
    focal = np.array([camera.fx, camera.fy])
    slope = backproject(pixels, 1.0, camera)[..., :2]
    matrix = np.zeros((*seen.shape, 2, 3))
    matrix[..., :2], matrix[..., 2] = np.diag(focal), -slope * focal
    right = (slope * joints[..., 2:] - joints[..., :2]) * focal
    return _System(matrix, right, joints[..., 2], seen)


def _solved(system: _System, weights: Array) -> tuple[Array, Array]:
    """Normal matrices (B, 3, 3) and wrists (B, 3)."""
    normal = np.einsum("bj,bjki,bjkl->bil", weights, system.matrix, system.matrix)
    normal[system.seen.sum(axis=1) < MIN_JOINTS] = np.eye(3)  # left out at the end
    pull = np.einsum("bj,bjki,bjk->bi", weights, system.matrix, system.right)
    return normal, np.linalg.solve(normal, pull[..., None])[..., 0]


def _weights(system: _System, place: Array) -> tuple[Array, Array]:
    """Weights (B, J) of the joints, and (B,) the spread of their pixels."""
    depth = np.maximum(place[:, 2:] + system.behind, _NEAREST_M)
    errors = np.einsum("bjki,bi->bjk", system.matrix, place) - system.right
    pixels = np.linalg.norm(errors, axis=2) / depth
    # rows of which nothing is seen are left out at the end, and until then need a number
    counted = system.seen | ~system.seen.any(axis=1, keepdims=True)
    middle = np.nanmedian(np.where(counted, pixels, np.nan), axis=1)
    spread = np.maximum(middle / _MEDIAN_RADIUS, _PIXEL_FLOOR)
    huber = np.minimum(1.0, _HUBER * spread[:, None] / np.maximum(pixels, 1e-9))
    return system.seen * huber / depth**2, spread
