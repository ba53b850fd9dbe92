"""Meshes of objects: in memory, or in the folder of a data set."""

from pathlib import Path

import pytest

from hoisdf_ros.data.object_models import MEASURED_MESH_FILES, MeshLibrary, ModelFolder
from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import DataError, MeshError
from hoisdf_ros.geometry.primitives import box


def write(path: Path, mesh: Mesh) -> None:
    lines = [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def test_models_are_read_from_the_data_sets_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="should hold the YCB models"):
        ModelFolder(tmp_path / "models")
    write(tmp_path / "models" / "003_cracker_box" / "textured_simple.obj", box((0.1, 0.2, 0.3)))
    folder = ModelFolder(tmp_path / "models")
    known = folder.get("003_cracker_box")
    assert known is not None
    assert known.mesh.size == pytest.approx([0.1, 0.2, 0.3])
    assert folder.get("003_cracker_box") is known
    with pytest.raises(MeshError, match="024_bowl"):
        folder.get("024_bowl")


def test_the_mesh_of_the_published_errors_is_taken_where_it_is(tmp_path: Path) -> None:
    for side, file in zip((0.1, 0.2), MEASURED_MESH_FILES, strict=True):
        write(tmp_path / "024_bowl" / file, box((side, side, side)))
    write(tmp_path / "025_mug" / "textured_simple.obj", box((0.3, 0.3, 0.3)))
    folder = ModelFolder(tmp_path, MEASURED_MESH_FILES)
    sizes = [known.mesh.size[0] for name in ("024_bowl", "025_mug") if (known := folder.get(name))]
    assert sizes == pytest.approx([0.1, 0.3])


def test_a_library_knows_its_meshes() -> None:
    library = MeshLibrary({"brick": box((0.1, 0.1, 0.1))})
    assert library.get("brick") is library.get("brick") is not None
    assert library.get("stone") is None
