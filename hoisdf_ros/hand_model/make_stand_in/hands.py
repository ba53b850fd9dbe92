"""What the steps of the making hand on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.hand_model.assets import Array


@dataclass
class SourceHands:
    """N right hands with one topology; the first has the mean shape.

    Args:
        vertices: (N, V, 3) surface at rest, metres.
        joints: (N, 16, 3) joints in MANO's order, metres.
        weights: (V, 16) skinning weights; the metacarpals count as wrist.
        faces: (F, 3) vertex indices.
    """

    vertices: Array
    joints: Array
    weights: Array
    faces: NDArray[np.int64]
