"""Hand model files: MANO's ``.pkl`` or an ``.npz`` of the same layout, checked once when read.

MANO's joints (16): wrist, then index, middle, little, ring finger and thumb, three each. The
right hand's template points its fingers along -x, the left hand's along +x. Metres throughout.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hoisdf_ros.conventions import (
    MIRROR,
    NUM_BETAS,
    NUM_FACES,
    NUM_MANO_JOINTS,
    NUM_VERTICES,
    Side,
)
from hoisdf_ros.errors import HandModelError, NpzError
from hoisdf_ros.hand_model.restricted_pickle import GET_MANO, MAX_BYTES, read_pickled_arrays
from hoisdf_ros.npz import read_npz

Array = NDArray[np.float64]

NUM_POSE = 3 * (NUM_MANO_JOINTS - 1)
PARENTS = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14)
TIP_VERTICES = {
    Side.RIGHT: (745, 317, 444, 556, 673),
    Side.LEFT: (745, 317, 445, 556, 673),
}
"""Vertex at the tip of thumb, index, middle, ring and little finger."""

FILE_SHAPES: dict[str, tuple[int, ...]] = {
    "v_template": (NUM_VERTICES, 3),
    "f": (NUM_FACES, 3),
    "J_regressor": (NUM_MANO_JOINTS, NUM_VERTICES),
    "weights": (NUM_VERTICES, NUM_MANO_JOINTS),
    "shapedirs": (NUM_VERTICES, 3, NUM_BETAS),
    "posedirs": (NUM_VERTICES, 3, 9 * (NUM_MANO_JOINTS - 1)),
    "hands_mean": (NUM_POSE,),
    "hands_components": (NUM_POSE, NUM_POSE),
    "kintree_table": (2, NUM_MANO_JOINTS),
}
"""The arrays that a hand model file must hold, under MANO's names."""

SUM_TOLERANCE = 1e-3
SIZE_RANGE_M = (0.02, 2.0)


@dataclass(frozen=True, eq=False)
class HandArrays:
    """A hand model as arrays, in MANO's layout.

    Args:
        v_template: (778, 3) vertices of the mean hand in the zero pose, metres.
        faces: (1538, 3) vertex indices of the triangles, outside anticlockwise.
        joint_regressor: (16, 778) joints as weighted sums of vertices.
        weights: (778, 16) skinning weights; the weights of a vertex sum to one.
        shapedirs: (778, 3, 10) vertex offsets per unit of each shape value, metres.
        posedirs: (778, 3, 135) vertex offsets per entry of the 15 finger joints' R - I, metres.
        hands_mean: (45,) mean finger pose, axis-angle, radians.
        hands_components: (45, 45) principal components of the finger pose, one a row.
        parents: (16,) index of each joint's parent, -1 for the wrist.
        side: Which hand this is.
        tips: Vertices at the tips of thumb, index, middle, ring and little finger.
    """

    v_template: Array
    faces: NDArray[np.int64]
    joint_regressor: Array
    weights: Array
    shapedirs: Array
    posedirs: Array
    hands_mean: Array
    hands_components: Array
    parents: NDArray[np.int64]
    side: Side
    tips: tuple[int, ...]

    def mirrored(self) -> "HandArrays":
        """The other hand: x negated, so that a pose M R M gives the mirrored surface.

        Used for left hands when only a right hand is at hand, and to serve shapes that were
        estimated on mirrored images: MANO's own left file repeats the right one's shapedirs
        unmirrored (smplx issue 48), so its shapes mean something else.
        """
        sign = np.diag(MIRROR)
        pose_sign = np.tile(np.outer(sign, sign).ravel(), NUM_MANO_JOINTS - 1)
        turn_sign = np.tile(-sign, NUM_MANO_JOINTS - 1)  # an axis is a pseudovector
        return replace(
            self,
            v_template=self.v_template * sign,
            faces=self.faces[:, ::-1].copy(),
            shapedirs=self.shapedirs * sign[:, None],
            posedirs=self.posedirs * sign[:, None] * pose_sign,
            hands_mean=self.hands_mean * turn_sign,
            hands_components=self.hands_components * turn_sign,
            side=Side.LEFT if self.side is Side.RIGHT else Side.RIGHT,
        )


def load_hand_arrays(path: Path, side: Side) -> HandArrays:
    """Read a hand model file; nothing stored in it is executed.

    Args:
        path: ``.pkl`` as MANO distributes it (chumpy is not needed) or ``.npz`` without pickles.
        side: The hand that the file is meant to hold.

    Raises:
        HandModelError: The file is missing, of another format, not safe to read, holds the
            other hand, or one of its arrays is missing, misshapen or not plausible.
    """
    if not path.is_file():
        raise HandModelError(f"hand model '{path}' is not a file: {GET_MANO}")
    if path.suffix not in (".pkl", ".npz"):
        raise HandModelError(
            f"hand model '{path}' ends in '{path.suffix}': expected .pkl (MANO) or .npz"
        )
    if path.stat().st_size > MAX_BYTES:
        raise HandModelError(
            f"hand model '{path}' has {path.stat().st_size} bytes: expected at most {MAX_BYTES} "
            f"(MANO has 4 MB); {GET_MANO}"
        )
    if side is Side.UNKNOWN:
        raise HandModelError(f"hand model '{path}': side is UNKNOWN; say LEFT or RIGHT")
    read = _read_npz if path.suffix == ".npz" else read_pickled_arrays
    arrays = hand_arrays_from_mapping(read(path, FILE_SHAPES.keys()), side, str(path))
    _refuse_other_side(arrays, path)
    return arrays


def hand_arrays_from_mapping(
    stored: Mapping[str, ArrayLike], side: Side, source: str
) -> HandArrays:
    """Check the arrays of a hand model file and give them our names.

    Args:
        stored: Arrays under MANO's names (`FILE_SHAPES`); further entries are ignored.
        side: The hand that they describe.
        source: Where they came from, for messages.

    Raises:
        HandModelError: An array is missing, misshapen or not plausible.
    """
    missing = sorted(set(FILE_SHAPES) - set(stored))
    if missing:
        raise HandModelError(f"{source} lacks {', '.join(missing)}: {GET_MANO}")
    checked = {name: _checked(name, stored[name], source) for name in FILE_SHAPES}
    _check_topology(checked["f"], checked["kintree_table"], source)
    _check_weights(checked["weights"], source)
    size = float(np.ptp(checked["v_template"], axis=0).max())
    if not SIZE_RANGE_M[0] <= size <= SIZE_RANGE_M[1]:
        raise HandModelError(
            f"{source}: v_template spans {size:.4g}, expected {SIZE_RANGE_M[0]} to "
            f"{SIZE_RANGE_M[1]} metres; is the file in another unit?"
        )
    return HandArrays(
        v_template=checked["v_template"],
        faces=checked["f"].astype(np.int64),
        joint_regressor=checked["J_regressor"],
        weights=checked["weights"],
        shapedirs=checked["shapedirs"],
        posedirs=checked["posedirs"],
        hands_mean=checked["hands_mean"],
        hands_components=checked["hands_components"],
        parents=np.array(PARENTS),
        side=side,
        tips=TIP_VERTICES[side],
    )


def _read_npz(path: Path, names: Collection[str]) -> Mapping[str, ArrayLike]:
    """The arrays of an ``.npz`` file, without unpickling any and without unpacking bombs."""
    try:
        return read_npz(path, names, MAX_BYTES)
    except NpzError as error:
        raise HandModelError(
            f"{path} cannot be read: {error}; an .npz must hold plain numbers (a sparse "
            f"J_regressor as .toarray()), or give the .pkl: {GET_MANO}"
        ) from error


def _checked(name: str, value: ArrayLike, source: str) -> Array:
    """One array as float64, once its type, shape and values have been checked."""
    array, expected = np.asarray(value), FILE_SHAPES[name]
    if array.shape != expected:
        raise HandModelError(
            f"{source}: array '{name}' has shape {array.shape}, expected {expected}; {GET_MANO}"
        )
    if array.dtype.kind not in "fiub":
        raise HandModelError(f"{source}: array '{name}' holds {array.dtype}, expected numbers")
    result = array.astype(np.float64)
    if not np.isfinite(result).all():
        bad = int((~np.isfinite(result)).sum())
        raise HandModelError(
            f"{source}: array '{name}' has {bad} values that are NaN or infinite; "
            "the file is damaged, download it again"
        )
    return result


def _check_weights(weights: Array, source: str) -> None:
    """Refuse vertices whose weights do not sum to one: they would drift away from the hand."""
    sums = weights.sum(axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > SUM_TOLERANCE:
        raise HandModelError(
            f"{source}: row {worst} of 'weights' sums to {sums[worst]:.4f}, expected 1; "
            "the file is damaged or not a hand model"
        )


def _check_topology(faces: Array, kintree: Array, source: str) -> None:
    """Refuse faces beyond the vertices, and another order of joints than MANO's."""
    if faces.min() < 0 or faces.max() >= NUM_VERTICES or (faces % 1).any():
        raise HandModelError(
            f"{source}: array 'f' holds {faces.min():g} to {faces.max():g}, "
            f"expected vertex indices 0 to {NUM_VERTICES - 1}"
        )
    found = tuple(int(parent) for parent in kintree[0, 1:])
    if found != PARENTS[1:]:
        raise HandModelError(
            f"{source}: kintree_table gives the joints 1 to 15 the parents {found}, "
            f"expected MANO's {PARENTS[1:]}"
        )


def _refuse_other_side(arrays: HandArrays, path: Path) -> None:
    """Refuse the other hand, where the file's name or the template's direction tells.

    MANO's files do not say which hand they hold. What can be known: its file names say LEFT or
    RIGHT, and its right template points the four fingers along -x, the left along +x.
    """
    named = set(re.findall(r"(?<![A-Z])(LEFT|RIGHT)(?![A-Z])", path.stem.upper()))
    found = {Side[named.pop()]} if len(named) == 1 else set()
    found |= {_pointing_side(arrays)} - {Side.UNKNOWN}
    for side in found - {arrays.side}:
        raise HandModelError(
            f"{path} holds a {side.name} hand (by its file name or the direction of its "
            f"fingers), expected {arrays.side.name}: give the other file, or load this one as "
            f"{side.name} and call mirrored()"
        )


def _pointing_side(arrays: HandArrays) -> Side:
    """The side by the direction of the four knuckles from the wrist; UNKNOWN if unclear."""
    joints = arrays.joint_regressor @ arrays.v_template  # (16, 3)
    knuckles = joints[[1, 4, 7, 10]] - joints[0]
    along = knuckles[:, 0] / np.maximum(np.linalg.norm(knuckles, axis=1), 1e-9)
    if (along < -0.7).all():
        return Side.RIGHT
    return Side.LEFT if (along > 0.7).all() else Side.UNKNOWN
