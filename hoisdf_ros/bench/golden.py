"""Golden files: inputs, intermediate values and outputs of the published network."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hoisdf_ros.config import Lattice
from hoisdf_ros.errors import NpzError, ParityError, reason
from hoisdf_ros.network.io import FieldPoints, NetworkInput, QueryPoints
from hoisdf_ros.npz import read_npz

INPUTS = ("image", "cam_intr", "mano_root", "obj_center_cam", "bbox_hand", "bbox_obj")
"""Published names of the fields of `NetworkInput`, in order."""

QUERIES = ("hand_query_points", "hand_query_sdf", "object_query_points", "object_query_sdf")

_SHAPES: dict[str, tuple[int | None, ...]] = {
    "image": (3, None, None),
    "cam_intr": (3, 3),
    "mano_root": (3,),
    "obj_center_cam": (3,),
    "bbox_hand": (4,),
    "bbox_obj": (4,),
    "hand_query_points": (None, 3),
    "hand_query_sdf": (None, 1),
    "object_query_points": (None, 3),
    "object_query_sdf": (None, 1),
}
"""Without the batch; None is any number."""

_ON_LATTICE = 1e-3
"""How far from a whole number a lattice index may be, in steps."""


@dataclass(frozen=True)
class Golden:
    """The arrays of one golden file.

    Args:
        arrays: By published name, float32.
        path: Where they came from.
    """

    arrays: dict[str, Tensor]
    path: Path

    def __getitem__(self, name: str) -> Tensor:
        """The array ``name``; inputs and query points are always there.

        Raises:
            ParityError: It is another, and not there.
        """
        if name not in self.arrays:
            raise ParityError(
                f"golden file {self.path} lacks '{name}', without which others of its arrays "
                "cannot be compared; make the file again"
            )
        return self.arrays[name]

    def __contains__(self, name: object) -> bool:
        return name in self.arrays

    @property
    def inputs(self) -> NetworkInput:
        """What the network was given."""
        return NetworkInput(*(self[name] for name in INPUTS))

    @property
    def queries(self) -> QueryPoints:
        """The query points that the network found."""
        hand, hand_sdf, held, held_sdf = (self[name] for name in QUERIES)
        return QueryPoints(FieldPoints(hand, hand_sdf), FieldPoints(held, held_sdf))

    def lattice(self, size: int) -> Lattice:
        """The layout of the lattice that the query points came from.

        Args:
            size: Points along an edge.
        """
        index = (self["hand_query_points"] + 1) * (size - 1) / 2
        regular = (index - index.round()).abs().max() < _ON_LATTICE
        return "regular" if regular else "sheared"


def load_golden(path: Path) -> Golden:
    """Read a golden ``.npz``.

    Raises:
        ParityError: Not a readable ``.npz``, or one of the inputs and query points is missing or
            misshapen.
    """
    try:
        stored = read_npz(path)
        arrays = {name: torch.from_numpy(array).float() for name, array in stored.items()}
    except (NpzError, TypeError) as error:  # torch has no letters
        raise ParityError(
            f"golden file {path}: {reason(error)}; expected an .npz of plain numbers"
        ) from error
    missing = [name for name in (*INPUTS, *QUERIES) if name not in arrays]
    if missing:
        raise ParityError(
            f"golden file {path} lacks {', '.join(missing)}: expected the network's inputs and "
            "query points; make the file again"
        )
    _check_shapes(arrays, path)
    return Golden(arrays, path)


def _check_shapes(arrays: dict[str, Tensor], path: Path) -> None:
    batch = len(arrays["image"]) if arrays["image"].dim() else 0
    for name, tail in _SHAPES.items():
        found = tuple(arrays[name].shape)
        fits = len(found) == len(tail) + 1 and found[0] == batch > 0
        if not fits or any(size not in (None, f) for size, f in zip(tail, found[1:], strict=True)):
            expected = ", ".join("any" if size is None else str(size) for size in tail)
            raise ParityError(
                f"golden file {path}: '{name}' has shape {found}, expected (B, {expected}) with "
                "the same B as 'image', at least 1; make the file again"
            )
