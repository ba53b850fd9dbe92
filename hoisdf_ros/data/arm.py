"""What a hand hangs on: a forearm, a sleeve, and the colour of skin."""

import numpy as np

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.primitives import tapered_cylinder

Colour = tuple[float, float, float]
"""Red, green, blue in [0, 1]."""

_WRIST_LOOP = np.array([1.0, 0.020, 0.029])  # half axes of the forearm at the wrist, metres
_INSIDE_HAND_M = 0.012
_DARK_SKIN, _LIGHT_SKIN = np.array([0.32, 0.21, 0.15]), np.array([0.93, 0.75, 0.64])


def forearm_mesh(length: float, widening: float) -> Mesh:
    """A bare forearm along +x from the wrist; it starts inside the hand, so that no gap shows.

    Args:
        length: Metres.
        widening: Thickness at the far end, as a multiple of the wrist's.
    """
    bare = tapered_cylinder(1.0, widening, length)
    return Mesh(bare.vertices * _WRIST_LOOP - [_INSIDE_HAND_M, 0.0, 0.0], bare.faces)


def sleeve_mesh(start: float, length: float = 0.4) -> Mesh:
    """A sleeve around the forearm, ``start`` metres from the wrist."""
    cloth = tapered_cylinder(1.3, 1.7, length)
    return Mesh(cloth.vertices * _WRIST_LOOP + [start, 0.0, 0.0], cloth.faces)


def arm_rotation(orient: Array, side: Side, bend: Array) -> Array:
    """(3, 3) camera-from-forearm.

    Args:
        orient: (3, 3) camera-from-hand.
        side: The hand's side; a right hand's forearm goes along +x, a left one's along -x.
        bend: (3, 3) turn of the forearm against a right hand.
    """
    flip = MIRROR if side is Side.LEFT else np.eye(3)
    turn: Array = orient @ flip @ bend @ flip
    return turn @ np.diag([-1.0, 1.0, -1.0]) if side is Side.LEFT else turn


def skin_tone(rng: np.random.Generator) -> Colour:
    """A colour between dark and light skin, with a slight tint."""
    tone, tint = rng.uniform(), rng.normal(scale=0.01, size=3)
    return as_colour(_DARK_SKIN + tone * (_LIGHT_SKIN - _DARK_SKIN) + tint)


def as_colour(values: Array) -> Colour:
    """Three numbers, clipped to [0, 1]."""
    red, green, blue = (float(value) for value in values.clip(0.0, 1.0))
    return red, green, blue
