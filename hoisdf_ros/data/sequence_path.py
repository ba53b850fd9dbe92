"""Smooth ways through a scene, as functions of time alone."""

from dataclasses import dataclass, field

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

_SWAY_M, _TURN_RAD = (0.02, 0.02, 0.015), 0.15
_PERIODS_S = 1.6, 5.0


@dataclass(frozen=True, eq=False)
class Sway:
    """What a hand in the air does all the time: six slow swings.

    Args:
        place: (3,) amplitudes along x, y and z, metres.
        turn: (3,) amplitudes of a rotation vector, radians.
        periods: (6,) seconds.
        phases: (6,) radians.
    """

    place: Array = field(default_factory=lambda: np.zeros(3))
    turn: Array = field(default_factory=lambda: np.zeros(3))
    periods: Array = field(default_factory=lambda: np.ones(6))
    phases: Array = field(default_factory=lambda: np.zeros(6))

    @property
    def reach(self) -> float:
        """How far it leads away at most, metres."""
        return float(np.linalg.norm(self.place))

    def at(self, time: float) -> tuple[Array, Array]:
        """Rotation vector (3,), radians, and offset (3,), metres."""
        swing = np.sin(2 * np.pi * time / self.periods + self.phases)
        return self.turn * swing[3:], self.place * swing[:3]


def draw_sway(rng: np.random.Generator) -> Sway:
    """A sway by chance."""
    return Sway(
        np.array(_SWAY_M) * rng.uniform(0.3, 1.0, size=3),
        rng.uniform(-_TURN_RAD, _TURN_RAD, size=3),
        rng.uniform(*_PERIODS_S, size=6),
        rng.uniform(0.0, 2 * np.pi, size=6),
    )


@dataclass(frozen=True, eq=False)
class Path:
    """From place to place, with a short stop at each of them.

    Args:
        rotation: (3, 3) camera-from-thing before any turn.
        times: (K,) seconds, increasing; before the first and after the last it stands still.
        places: (K, 3) metres, camera frame.
        angles: (K,) radians about ``axis``.
        axis: (3,) unit vector, camera frame.
        sway: What comes on top.
    """

    rotation: Array
    times: Array
    places: Array
    angles: Array
    axis: Array = field(default_factory=lambda: np.array([0.0, 1.0, 0.0]))
    sway: Sway = field(default_factory=Sway)

    def at(self, time: float) -> tuple[Array, Array]:
        """Rotation (3, 3) camera-from-thing and place (3,), metres."""
        swung, offset = self.sway.at(time)
        turn = matrix_from_rotation_vector(self.axis * between(self.times, self.angles, time))
        rotation: Array = matrix_from_rotation_vector(swung) @ turn @ self.rotation
        return rotation, between(self.times, self.places, time) + offset


def still(rotation: Array, place: Array) -> Path:
    """A path of something that stays where it is."""
    return Path(rotation, np.zeros(1), place[None], np.zeros(1))


def between(times: Array, values: Array, time: float) -> Array:
    """Values (K, ...) at increasing times (K,), passed through without a jerk."""
    after = int(np.searchsorted(times, time, side="right"))
    if after in (0, len(times)):
        edge: Array = values[min(after, len(times) - 1)]
        return edge
    share = (time - times[after - 1]) / (times[after] - times[after - 1])
    # velocity and acceleration are zero at both ends
    smooth = share**3 * (10.0 - 15.0 * share + 6.0 * share**2)
    value: Array = values[after - 1] + smooth * (values[after] - values[after - 1])
    return value
