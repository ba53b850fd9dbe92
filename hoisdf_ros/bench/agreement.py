"""How far a faster way to run the network is from the exact one, on the same pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.postprocessing.hand import RawHand
from hoisdf_ros.postprocessing.objects import RawObject

Answer = tuple[RawHand, RawObject]


@dataclass(frozen=True)
class Agreement:
    """Largest differences that 99 of 100 pictures stay below.

    Args:
        joint_mm: Of the joint that differs most.
        object_mm: Of the object's origin.
        object_deg: Of the object's rotation.
    """

    joint_mm: float
    object_mm: float
    object_deg: float


def agreement(ours: Sequence[Answer], exact: Sequence[Answer]) -> Agreement:
    """Compare answers picture by picture, in the crop's frame around the wrist."""
    rows = [_differences(*pair) for pair in zip(ours, exact, strict=True)]
    joint, place, turn = np.percentile(rows, 99, axis=0).tolist()
    return Agreement(joint, place, turn)


def joint_mm(ours: RawHand, exact: RawHand) -> float:
    """Distance of the joint that differs most, millimetres."""
    distances: Array = np.linalg.norm(ours.joints - exact.joints, axis=1)
    return 1e3 * float(distances.max())


def _differences(ours: Answer, exact: Answer) -> tuple[float, float, float]:
    (hand, held), (exact_hand, exact_held) = ours, exact
    place = 1e3 * float(np.linalg.norm(held.translation - exact_held.translation))
    one, other = (matrix_from_rotation_vector(o.rotation) for o in (held, exact_held))
    turn = np.linalg.norm(rotation_vector_from_matrix(one.T @ other))
    return joint_mm(hand, exact_hand), place, float(np.degrees(turn))
