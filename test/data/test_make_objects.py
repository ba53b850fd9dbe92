"""The maker of the packaged objects, and what it made."""

import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.data.make_objects import (
    OBJECT_IDS,
    Options,
    bake,
    make_object,
    read_msh,
    read_object,
    write_object,
)
from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects, load_mesh, weld
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid


def card() -> Mesh:
    """A square of 0.1 m, red on the left, blue on the right, wide in its own texture."""
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0, 0.1, 0]])
    picture = np.zeros((32, 32, 3), dtype=np.uint8)
    picture[:, :16], picture[:, 16:] = (200, 0, 0), (0, 0, 200)
    faces = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)
    return Mesh(corners, faces, np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), picture)


def msh_of(mesh: Mesh) -> bytes:
    assert mesh.uv is not None
    uv = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)
    head = struct.pack("<4i", len(mesh.vertices), len(mesh.vertices), len(uv), len(mesh.faces))
    arrays = [mesh.vertices, np.zeros_like(mesh.vertices), uv]
    return head + b"".join(a.astype("<f4").tobytes() for a in arrays) + mesh.faces.tobytes()


def test_msh_is_read_back() -> None:
    vertices, uv, faces = read_msh(msh_of(card()))
    assert np.allclose(vertices, card().vertices)
    assert np.allclose(uv[0], [0, 1])
    assert np.array_equal(faces, card().faces)


@pytest.mark.parametrize("content", [b"", b"1234", msh_of(card())[:-1], msh_of(card()) + b"x"])
def test_a_cut_msh_is_refused(content: bytes) -> None:
    with pytest.raises(MeshError, match="expected MuJoCo"):
        read_msh(content)


def test_an_object_is_read_from_the_wheel(tmp_path: Path) -> None:
    wheel, name = tmp_path / "w.whl", "002_master_chef_can"
    picture = card().texture
    assert picture is not None
    _, png = cv2.imencode(".png", picture[..., ::-1])
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"myosuite/simhive/YCB_sim/meshes/{name}.msh", msh_of(card()))
        archive.writestr(f"myosuite/simhive/YCB_sim/textures/{name}.png", png.tobytes())
    mesh = read_object(wheel, name)
    assert mesh.uv is not None
    assert mesh.texture is not None
    assert np.allclose(mesh.uv, [[0, 0], [1, 0], [1, 1], [0, 1]])
    assert mesh.texture[5, 5].tolist() == [200, 0, 0]
    with pytest.raises(MeshError, match="006_mustard_bottle"):
        read_object(wheel, "006_mustard_bottle")


def test_baking_moves_colours_to_another_layout() -> None:
    source = card()
    shrunk = Mesh(source.vertices, source.faces, np.array([[0.5, 0], [0.5, 0.5], [0, 0.5], [0, 0]]))
    texture = bake(shrunk, source, 64).astype(int)
    # u of the card runs up from v = 0 to v = 0.5: its left half is the lowest quarter of rows
    assert np.abs(texture[60, 10] - [200, 0, 0]).max() <= 2
    assert np.abs(texture[36, 10] - [0, 0, 200]).max() <= 2
    assert np.abs(texture[60, 60] - [200, 0, 0]).max() <= 2  # off the chart: as the nearest
    assert np.abs(texture[2, 10] - [0, 0, 200]).max() <= 2


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_object(card(), tmp_path / "card")
    mesh = load_mesh(tmp_path / "card" / "textured.obj")
    assert mesh.uv is not None
    assert mesh.texture is not None
    corners = np.hstack([mesh.vertices[mesh.faces.ravel()], mesh.uv[mesh.faces.ravel()]])
    expected = card()
    assert expected.uv is not None
    index = expected.faces.ravel()
    assert np.allclose(corners, np.hstack([expected.vertices[index], expected.uv[index]]))
    assert np.abs(mesh.texture[16, 4].astype(int) - [200, 0, 0]).max() < 8


def test_the_small_form_keeps_shape_and_colour() -> None:
    reason = "only whoever makes the assets anew needs it"
    pytest.importorskip("fast_simplification", reason=reason)
    pytest.importorskip("xatlas", reason=reason)
    source = load_mesh(PACKAGED_OBJECTS / "004_sugar_box" / "textured.obj")
    small = make_object(source, Options(faces=600, texture=128, oversample=1))
    assert 400 < len(small.faces) <= 600
    assert np.allclose(small.size, source.size, atol=0.002)
    assert small.texture is not None
    assert source.texture is not None
    assert np.abs(small.texture.mean(axis=(0, 1)) - source.texture.mean(axis=(0, 1))).max() < 40


def test_ten_objects_are_packaged_and_small() -> None:
    assert tuple(find_objects(PACKAGED_OBJECTS)) == OBJECT_IDS
    sizes = [file.stat().st_size for file in PACKAGED_OBJECTS.rglob("*") if file.is_file()]
    assert sum(sizes) < 2.5e6


@pytest.mark.parametrize("object_id", OBJECT_IDS)
def test_a_packaged_object_is_whole(object_id: str) -> None:
    mesh = load_mesh(PACKAGED_OBJECTS / object_id / "textured.obj")
    assert 2000 <= len(mesh.faces) <= 4000
    assert mesh.texture is not None
    assert mesh.texture.shape == (512, 512, 3)
    assert 0.02 < mesh.size.min() < mesh.size.max() < 0.25  # metres, not millimetres
    welded = weld(mesh.vertices)[mesh.faces]
    edges = np.sort(np.concatenate([welded[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count % 2 == 0).mean() > 0.995  # closed, but for a few doubled scraps of the scan
    grid = SignedDistanceGrid.of(mesh, spacing=0.008, margin=0.01)
    assert grid.values.min() < -0.008  # it has an inside, so its faces look outwards
