"""A bank of grasps: made once, kept on disk, seen from new sides in every picture."""

import hashlib
import os
import sys
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.conventions import NUM_BETAS, Side
from hoisdf_ros.data import grasp as grasp_module
from hoisdf_ros.data.grasp import Grasp, GraspSynthesiser
from hoisdf_ros.data.synthetic_streams import Purpose, Split, stream
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import reason
from hoisdf_ros.geometry import signed_distance
from hoisdf_ros.geometry.mesh import mirrored
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid
from hoisdf_ros.hand_model import mano
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import (
    load_stand_in,
    load_stand_in_bend_axes,
    stand_in_path,
)

CHUNK = 16
"""Grasps of a file."""

LEFT_EVERY = 4
"""Every so many grasps is one of a left hand."""

_SIMPLE_SHARE = 0.2  # of grasps of the simple shapes
_SHAPE_STDDEV = 0.8
_GRID_M, _GRID_MARGIN_M = 0.005, 0.012  # a grip needs no more
_CODE = (grasp_module, signed_distance, mano, sys.modules[__name__])
_DAMAGED = (OSError, EOFError, TypeError, ValueError, LookupError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class BankedGrasp:
    """A grasp and what it is a grasp of.

    Args:
        object_id: The object.
        side: The hand that holds it.
        grasp: In the frame of that hand.
    """

    object_id: str
    side: Side
    grasp: Grasp


def cache_dir() -> Path:
    """Where what can be made again is kept: ``$XDG_CACHE_HOME/hoisdf_ros``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hoisdf_ros"


def draw_betas(rng: np.random.Generator) -> Array:
    """(10,) shape of one person's hand."""
    betas: Array = rng.normal(scale=_SHAPE_STDDEV, size=NUM_BETAS)
    return betas


class GraspBank:
    """So many grasps of one split, made `CHUNK` at a time when they are first needed.

    Args:
        split: Whose grasps.
        seed: Of the data set.
        size: How many; rounded up to whole chunks.
        meshes: The objects, by id.
    """

    def __init__(self, split: Split, seed: int, size: int, meshes: dict[str, Mesh]) -> None:
        self._split, self._seed, self._meshes = split, seed, meshes
        self.num_chunks = -(-size // CHUNK)
        self._folder = cache_dir() / "grasps" / f"{split}-{seed}-{_fingerprint(meshes)}"
        self._chunks: dict[int, list[BankedGrasp]] = {}
        self._maker: _Maker | None = None

    def __len__(self) -> int:
        return self.num_chunks * CHUNK

    def __getitem__(self, index: int) -> BankedGrasp:
        if not 0 <= index < len(self):
            raise IndexError(f"grasp {index} of a bank of {len(self)}")
        return self.chunk(index // CHUNK)[index % CHUNK]

    def missing(self) -> list[int]:
        """Chunks that are not on disk yet."""
        return [number for number in range(self.num_chunks) if not self._file(number).is_file()]

    def chunk(self, number: int) -> list[BankedGrasp]:
        """The grasps of a chunk: remembered, read, or made and written."""
        if number not in self._chunks:
            grasps = self._read(number)
            if grasps is None:
                grasps = self._make(number)
                self._write(number, grasps)
            self._chunks[number] = grasps
        return self._chunks[number]

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:05d}.npz"

    def _make(self, number: int) -> list[BankedGrasp]:
        if self._maker is None:
            self._maker = _Maker(self._meshes)
        grasps = []
        for index in range(number * CHUNK, (number + 1) * CHUNK):
            side = Side.LEFT if index % LEFT_EVERY == LEFT_EVERY - 1 else Side.RIGHT
            rng = stream(self._split, self._seed, Purpose.GRASP, index)
            grasps.append(self._maker.make(side, rng))
        return grasps

    def _read(self, number: int) -> list[BankedGrasp] | None:
        """A chunk from the disk; None when it is missing or damaged: it can be made again."""
        try:
            with np.load(self._file(number), allow_pickle=False) as stored:
                return _unpacked({name: stored[name] for name in stored.files})
        except _DAMAGED:
            return None

    def _write(self, number: int, grasps: Sequence[BankedGrasp]) -> None:
        def write(file: BinaryIO) -> None:
            np.savez(file, **_packed(grasps))

        try:
            write_atomically(self._file(number), write)
        except OSError as error:
            warnings.warn(
                f"grasps are made again in every run: cannot keep them in {self._folder} "
                f"({reason(error)}); free some space or set XDG_CACHE_HOME to a folder of yours",
                stacklevel=2,
            )


class _Maker:
    """Makes grasps; the objects' distance fields are made when first needed."""

    def __init__(self, meshes: dict[str, Mesh]) -> None:
        self._meshes = meshes
        self._simple = [name for name in meshes if name.startswith("shape_")]
        self._scanned = [name for name in meshes if not name.startswith("shape_")]
        self._grids: dict[str, SignedDistanceGrid] = {}
        model = HandModel(load_stand_in(Side.RIGHT))
        self._hand = GraspSynthesiser(model, load_stand_in_bend_axes(Side.RIGHT))

    def make(self, side: Side, rng: np.random.Generator) -> BankedGrasp:
        """A grasp of an object by chance; a left hand's is made in the mirror."""
        simple = rng.uniform() < _SIMPLE_SHARE
        name = str(rng.choice(self._simple if simple else self._scanned))
        if name not in self._grids:
            self._grids[name] = SignedDistanceGrid.of(self._meshes[name], _GRID_M, _GRID_MARGIN_M)
        mesh, grid = self._meshes[name], self._grids[name]
        if side is Side.LEFT:
            mesh, grid = mirrored(mesh), grid.mirrored()
        grasp = self._hand.synthesise(mesh, grid, draw_betas(rng), rng, tries=3)
        return BankedGrasp(name, side, grasp.mirrored() if side is Side.LEFT else grasp)


def _fingerprint(meshes: dict[str, Mesh]) -> str:
    """Of everything that shapes a grasp: meshes, hand, code."""
    digest = hashlib.sha256(stand_in_path().read_bytes())
    for module in _CODE:
        digest.update(Path(str(module.__file__)).read_bytes())
    for name, mesh in sorted(meshes.items()):
        digest.update(name.encode())
        digest.update(mesh.vertices.tobytes() + mesh.faces.tobytes())
    return digest.hexdigest()[:16]


def _packed(grasps: Sequence[BankedGrasp]) -> dict[str, Any]:
    """Arrays by name, one row a grasp."""
    names = [field.name for field in fields(Grasp)]
    arrays = {name: np.stack([getattr(kept.grasp, name) for kept in grasps]) for name in names}
    arrays["object_id"] = np.array([kept.object_id for kept in grasps])
    arrays["side"] = np.array([kept.side.value for kept in grasps])
    return arrays


def _unpacked(arrays: dict[str, Any]) -> list[BankedGrasp]:
    """As many as were packed.

    Raises:
        LookupError, TypeError, ValueError: Not what `_packed` gives.
    """
    ids, sides = arrays.pop("object_id"), arrays.pop("side")
    grasps = []
    for k in range(CHUNK):
        own = {name: array[k] for name, array in arrays.items()}
        own["deep_share"] = float(own["deep_share"])
        grasps.append(BankedGrasp(str(ids[k]), Side(int(sides[k])), Grasp(**own)))
    return grasps
