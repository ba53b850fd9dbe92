"""Meshes of the objects of a data set, by object id."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.mesh import load_mesh
from hoisdf_ros.postprocessing.objects import KnownObject

MESH_FILES = ("textured_simple.obj",)
"""Of the YCB-Video models."""

MEASURED_MESH_FILES = ("textured_simple_2000.obj", *MESH_FILES)
"""The first that is there: published errors are means over the 1000 vertices of the former, which
the authors of HOISDF offer for download."""


class Objects(Protocol):
    """Meshes of the objects of a data set."""

    def get(self, object_id: str) -> KnownObject | None:
        """The object, or None when its mesh is unknown."""
        ...


class MeshLibrary:
    """Meshes that are in memory.

    Args:
        meshes: By object id.
    """

    def __init__(self, meshes: Mapping[str, Mesh]) -> None:
        self._known = {name: KnownObject(name, mesh) for name, mesh in meshes.items()}

    def get(self, object_id: str) -> KnownObject | None:
        """The object, or None."""
        return self._known.get(object_id)


class ModelFolder:
    """The YCB models of DexYCB and HO-3D, read when first used.

    Args:
        directory: One ``<object_id>/textured_simple.obj`` per object.
        files: Names of an object's mesh; the first that is there is read.

    Raises:
        DataError: There is no such folder.
    """

    def __init__(self, directory: Path, files: Sequence[str] = MESH_FILES) -> None:
        if not directory.is_dir():
            raise DataError(
                f"folder '{directory}' is missing: it should hold the YCB models of the data set, "
                "<object_id>/textured_simple.obj; put or link them there"
            )
        self._directory, self._files = directory, tuple(files)
        self._known: dict[str, KnownObject] = {}

    def get(self, object_id: str) -> KnownObject | None:
        """The object.

        Raises:
            MeshError: Its mesh is missing or damaged.
        """
        if object_id not in self._known:
            paths = [self._directory / object_id / file for file in self._files]
            path = next((path for path in paths if path.is_file()), paths[-1])
            self._known[object_id] = KnownObject(object_id, load_mesh(path))
        return self._known[object_id]
