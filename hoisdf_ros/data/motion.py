"""Smooth paths of a hand in front of a camera, as functions of time alone."""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

_NEAREST_M, _FARTHEST_M = 0.45, 0.8
_SWAY_M = np.array([0.07, 0.05, 0.04])  # at most, along x, y and z
_TURN_RAD = 0.3
_ENTRY_S = 0.8
_AWAY_M = 0.8  # far enough along the forearm to be out of the picture


@dataclass(frozen=True, eq=False)
class Motion:
    """A right hand that comes in along its forearm, sways and turns, and leaves again.

    Args:
        duration: Seconds from out of view to out of view.
        centre: (3,) middle of the path, metres, camera frame.
        sway: (3,) amplitudes, metres.
        rotation: (3, 3) camera-from-hand about which it turns.
        turn: (3,) amplitudes of the rotation vector, radians.
        periods: (6,) seconds of the three sways and the three turns.
        phases: (6,) radians.
    """

    duration: float
    centre: Array
    sway: Array
    rotation: Array
    turn: Array
    periods: Array
    phases: Array

    def at(self, time: float) -> tuple[Array, Array]:
        """Rotation (3, 3) camera-from-hand and place (3,) of the hand's middle, metres."""
        swing = np.sin(2 * np.pi * time / self.periods + self.phases)
        rotation = matrix_from_rotation_vector(self.turn * swing[3:]) @ self.rotation
        arrived = _smooth(min(time, self.duration - time) / _ENTRY_S)
        away = (1.0 - arrived) * _AWAY_M * self.rotation[:, 0]
        return rotation, self.centre + self.sway * swing[:3] + away


def _smooth(share: float) -> float:
    """0 below 0, 1 above 1, and between them without a jerk."""
    clipped = min(max(share, 0.0), 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def room(camera: Camera, radius: float, depth: float) -> Array:
    """How far a ball may be off the optical axis without leaving the picture.

    Args:
        camera: The camera.
        radius: Of the ball, metres.
        depth: z of its middle, metres.

    Returns:
        (2,) metres along x and y; negative when it does not fit at this depth.
    """
    tangent = _tangents(camera)
    allowed: Array = depth * tangent - radius * np.sqrt(1 + tangent**2)
    return allowed


def _tangents(camera: Camera) -> Array:
    """(2,) tangents of the angles between the optical axis and the nearer picture edges."""
    x = min(camera.cx, camera.width - 1 - camera.cx) / camera.fx
    y = min(camera.cy, camera.height - 1 - camera.cy) / camera.fy
    return np.array([x, y])


def random_motion(
    camera: Camera, radius: float, duration: float, rng: np.random.Generator
) -> Motion:
    """A motion that keeps a ball around the hand in the picture once it has come in.

    Args:
        camera: The camera.
        radius: Around hand and object, metres.
        duration: Seconds.
        rng: Where the chance comes from.
    """
    tangent = _tangents(camera)
    fits = float((radius * np.sqrt(1 + tangent**2) / tangent).max()) + 0.03
    nearest = max(_NEAREST_M, fits) + _SWAY_M[2]
    depth = nearest + rng.uniform(0.0, 0.4) * max(_FARTHEST_M - _SWAY_M[2] - nearest, 0.0)
    free = room(camera, radius, depth - _SWAY_M[2])
    sway = np.minimum(_SWAY_M[:2], 0.6 * free) * rng.uniform(0.5, 1.0, size=2)
    offset = (free - sway) * rng.uniform(-0.8, 0.8, size=2)
    return Motion(
        duration=duration,
        centre=np.array([*offset, depth]),
        sway=np.array([*sway, _SWAY_M[2] * rng.uniform(0.3, 1.0)]),
        rotation=_random_view(rng),
        turn=rng.uniform(-_TURN_RAD, _TURN_RAD, size=3),
        periods=rng.uniform(3.5, 8.0, size=6),
        phases=rng.uniform(0.0, 2 * np.pi, size=6),
    )


def _random_view(rng: np.random.Generator) -> Array:
    """(3, 3) camera-from-hand: the forearm comes from below, thumb or back or palm in view."""
    lean, tilt = np.radians(rng.uniform(-45, 45)), np.radians(rng.uniform(-30, 15))
    x = np.array([np.sin(lean) * np.cos(tilt), np.cos(lean) * np.cos(tilt), np.sin(tilt)])
    thumb = np.array([0.0, 0.0, -1.0])  # towards the camera, before the hand is rolled
    z = thumb - (thumb @ x) * x
    z /= np.linalg.norm(z)
    upright = np.stack([x, np.cross(z, x), z], axis=1)
    roll = np.radians(rng.uniform(-80, 50))  # rather the palm than the back
    view: Array = matrix_from_rotation_vector(roll * x) @ upright
    return view
