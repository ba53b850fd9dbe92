"""Steadier poses: strongly where things move slowly, hardly where they move fast.

The One-Euro filter (Casiez et al., CHI 2012): a low-pass whose cutoff grows with the speed. Wrist,
joint rotations and shape are filtered, not points, so that the hand stays one.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import MIRROR
from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.postprocessing.objects import RawObject

_SPEED_CUTOFF_HZ = 1.0  # of the speed itself, as in the paper
_STILL_HZ = 1.5
_PLACE_HZ = 40.0  # more, per metre a second
_TURN_HZ = 3.0  # more, per radian a second
_SHAPE_HZ = 0.3  # a hand does not change its shape


@dataclass
class OneEuro:
    """Filters vectors (..., D); the speed is that of each vector as a whole.

    Args:
        still: Cutoff of what does not move, hertz.
        slope: Hertz more per unit of speed.
    """

    still: float
    slope: float
    _value: Array | None = None
    _speed: Array | None = None

    def __call__(self, value: Array, elapsed: float) -> Array:
        """The filtered value.

        Args:
            value: (..., D) measured now.
            elapsed: Seconds since the last one; the first comes out as it is.
        """
        if self._value is None or self._speed is None or elapsed <= 0:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        step = value - self._value
        self._speed = self._speed + _share(_SPEED_CUTOFF_HZ, elapsed) * (
            step / elapsed - self._speed
        )
        size = np.linalg.norm(self._speed, axis=-1, keepdims=True)
        self._value = self._value + _share(self.still + self.slope * size, elapsed) * step
        return self._value


@dataclass
class OneEuroTurn:
    """Filters rotations (N, 3, 3), each by its own speed.

    Args:
        still, slope: As of `OneEuro`, per radian a second.
    """

    still: float
    slope: float
    _value: Rotation | None = None
    _speed: Array | None = None

    def __call__(self, value: Array, elapsed: float) -> Array:
        """The filtered rotations (N, 3, 3); see `OneEuro`."""
        turn = Rotation.from_matrix(value)
        if self._value is None or self._speed is None or elapsed <= 0:
            self._value, self._speed = turn, np.zeros((len(value), 3))
            return value
        step = (self._value.inv() * turn).as_rotvec()
        self._speed = self._speed + _share(_SPEED_CUTOFF_HZ, elapsed) * (
            step / elapsed - self._speed
        )
        size = np.linalg.norm(self._speed, axis=-1, keepdims=True)
        share = _share(self.still + self.slope * size, elapsed)
        self._value = self._value * Rotation.from_rotvec(share * step)
        result: Array = self._value.as_matrix()
        return result


@dataclass
class Smoother:
    """The filters of one hand and of what it holds."""

    _stamp: float | None = None
    _elapsed: float = 0.0
    _wrist: OneEuro = field(default_factory=lambda: OneEuro(_STILL_HZ, _PLACE_HZ))
    _turns: OneEuroTurn = field(default_factory=lambda: OneEuroTurn(_STILL_HZ, _TURN_HZ))
    _betas: OneEuro = field(default_factory=lambda: OneEuro(_SHAPE_HZ, 0.0))
    _place: OneEuro = field(default_factory=lambda: OneEuro(_STILL_HZ, _PLACE_HZ))
    _turn: OneEuroTurn = field(default_factory=lambda: OneEuroTurn(_STILL_HZ, _TURN_HZ))

    def at(self, stamp: float) -> None:
        """Begin a frame, before everything else; ``stamp`` in seconds."""
        self._elapsed = 0.0 if self._stamp is None else stamp - self._stamp
        self._stamp = stamp

    def wrist(self, position: Array) -> Array:
        """(3,) metres, steadied."""
        return self._wrist(position, self._elapsed)

    def pose(self, rotations: Array, betas: Array) -> tuple[Array, Array]:
        """(16, 3, 3) rotations and (10,) shape, steadied."""
        return self._turns(rotations, self._elapsed), self._betas(betas, self._elapsed)

    def held(self, raw: RawObject, wrist: Array) -> RawObject:
        """The object, steadied relative to the wrist.

        Args:
            raw: As the network says.
            wrist: (3,) as measured, metres, camera frame.
        """
        flip = MIRROR if raw.mirrored else np.eye(3)
        turn = self._turn(matrix_from_rotation_vector(raw.rotation)[None], self._elapsed)
        place = self._place(raw.center + flip @ raw.translation - wrist, self._elapsed)
        return replace(
            raw,
            rotation=Rotation.from_matrix(turn[0]).as_rotvec(),
            translation=flip @ (place + wrist - raw.center),
        )


def _share(cutoff: "float | Array", elapsed: float) -> Array:
    """How much of a step goes through a low-pass, in [0, 1]."""
    turn = 2 * np.pi * np.asarray(cutoff) * elapsed
    share: Array = turn / (1 + turn)
    return share
