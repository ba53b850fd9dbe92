"""Golden files: inputs, intermediate values and outputs of the published network."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hoisdf_ros.config import Lattice
from hoisdf_ros.errors import ParityError
from hoisdf_ros.network.io import FieldPoints, NetworkInput, QueryPoints

INPUTS = ("image", "cam_intr", "mano_root", "obj_center_cam", "bbox_hand", "bbox_obj")
"""Published names of the fields of `NetworkInput`, in order."""

QUERIES = ("hand_query_points", "hand_query_sdf", "object_query_points", "object_query_sdf")

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
        """The array ``name``; `KeyError` cannot happen for inputs and query points."""
        return self.arrays[name]

    def __contains__(self, name: str) -> bool:
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
        ParityError: Not a readable ``.npz``, or without the inputs and query points.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: torch.from_numpy(np.asarray(file[name])).float() for name in file}
    except (OSError, ValueError, zipfile.BadZipFile, TypeError) as error:
        raise ParityError(
            f"golden file {path}: {error}; expected an .npz of plain arrays"
        ) from error
    missing = [name for name in (*INPUTS, *QUERIES) if name not in arrays]
    if missing:
        raise ParityError(
            f"golden file {path} lacks {', '.join(missing)}: expected the network's inputs and "
            "query points; make the file again"
        )
    return Golden(arrays, path)
