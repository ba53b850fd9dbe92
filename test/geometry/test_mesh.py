"""Meshes: the OBJ reader, normals, sampling, small helpers."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.mesh import (
    box_corners,
    face_normals,
    find_objects,
    load_mesh,
    mirrored,
    nearest_distances,
    sample_surface,
    transform,
    vertex_normals,
    weld,
)
from hoisdf_ros.geometry.primitives import box, sphere

SQUARE = """# a textured square of two triangles given as one polygon
mtllib square.mtl
o thing
v 0 0 0
v 0.1 0 0 1.0
v 0.1 0.2 0
v 0 0.2 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
vn 0 0 1
usemtl skin
s off
f 1/1/1 2/2/1 3/3/1 4/4/1
"""


def write_square(folder: Path, text: str = SQUARE) -> Path:
    picture = np.zeros((4, 2, 3), dtype=np.uint8)
    picture[0] = (255, 128, 7)  # BGR: the first row of the file is the top, v = 1
    cv2.imwrite(str(folder / "my skin.png"), picture)
    (folder / "square.mtl").write_text("newmtl skin\nKd 1 1 1\nmap_Kd my skin.png\n")
    (folder / "textured.obj").write_text(text)
    return folder / "textured.obj"


def test_obj_with_texture(tmp_path: Path) -> None:
    mesh = load_mesh(write_square(tmp_path))
    assert mesh.vertices.shape == (4, 3)
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert np.allclose(mesh.size, [0.1, 0.2, 0.0])
    assert mesh.uv is not None
    assert mesh.texture is not None
    assert mesh.uv.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    assert mesh.texture[0, 0].tolist() == [7, 128, 255]  # RGB
    assert mesh.path == tmp_path / "textured.obj"


def test_a_seam_gives_two_vertices_at_one_place(tmp_path: Path) -> None:
    text = SQUARE.replace("f 1/1/1 2/2/1 3/3/1 4/4/1", "f 1/1 2/2 3/3\nf 1/1 3/2 4/4")
    mesh = load_mesh(write_square(tmp_path, text))
    assert len(mesh.vertices) == 5
    assert len(np.unique(weld(mesh.vertices))) == 4


def test_negative_indices_count_back(tmp_path: Path) -> None:
    text = SQUARE.replace("f 1/1/1 2/2/1 3/3/1 4/4/1", "f -4 -3 -2")
    mesh = load_mesh(write_square(tmp_path, text))
    assert np.allclose(mesh.vertices, [[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.1, 0.2, 0.0]])
    assert mesh.uv is None
    assert mesh.texture is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("v 0.1 0 0 1.0", "v 0.1 zero 0", "line 5.*could not convert"),
        ("v 0.1 0 0 1.0", "v 0.1 nan 0", "line 5.*3 finite numbers"),
        ("v 0.1 0 0 1.0", "v 0.1 0", "line 5.*3 finite numbers"),
        ("2/2/1", "9/2/1", "line 15.*index 9, but 4"),
        ("2/2/1", "0/2/1", "line 15.*index 0"),
        ("f 1/1/1 2/2/1 3/3/1 4/4/1", "f 1/1/1 2/2/1", "line 15.*a face of 2"),
        ("f 1/1/1 2/2/1 3/3/1 4/4/1", "", "no faces"),
        ("square.mtl", "circle.mtl", "circle.mtl.*put it beside the mesh"),
    ],
)
def test_a_broken_obj_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(MeshError, match=message):
        load_mesh(write_square(tmp_path, SQUARE.replace(old, new)))


def test_a_missing_file_or_picture_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_square(tmp_path)
    (tmp_path / "my skin.png").unlink()
    with pytest.raises(MeshError, match=r"my skin\.png"):
        load_mesh(path)
    assert not capfd.readouterr().err  # OpenCV would write there
    with pytest.raises(MeshError, match=r"other\.obj"):
        load_mesh(tmp_path / "other.obj")


def test_find_objects(tmp_path: Path) -> None:
    (tmp_path / "002_can").mkdir()
    path = write_square(tmp_path / "002_can")
    assert find_objects(tmp_path) == {"002_can": path}
    with pytest.raises(MeshError, match="holds no"):
        find_objects(tmp_path / "002_can")


def test_normals_of_a_sphere_point_outwards() -> None:
    mesh = sphere(0.05)
    normals = vertex_normals(mesh.vertices, mesh.faces)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1.0)
    assert (np.einsum("vi,vi->v", normals, mesh.vertices / 0.05) > 0.99).all()
    area = np.linalg.norm(face_normals(mesh.vertices, mesh.faces), axis=1).sum() / 2
    assert area == pytest.approx(4 * np.pi * 0.05**2, rel=0.02)


def test_a_vertex_without_a_face_has_no_normal() -> None:
    normals = vertex_normals(np.eye(4, 3), np.array([[0, 1, 2]], dtype=np.int32))
    assert np.allclose(normals[3], 0.0)
    assert np.isfinite(normals).all()


def test_samples_lie_on_their_face_and_are_spread_by_area() -> None:
    mesh = box((0.1, 0.2, 0.05))
    points, faces = sample_surface(mesh, 20_000, np.random.default_rng(0))
    normals = face_normals(mesh.vertices, mesh.faces)
    heights = np.einsum("ni,ni->n", points - mesh.vertices[mesh.faces[faces, 0]], normals[faces])
    assert np.abs(heights).max() < 1e-9
    assert (np.abs(points) <= np.array([0.05, 0.1, 0.025]) + 1e-9).all()
    areas = np.linalg.norm(normals, axis=1)
    shares = np.bincount(faces, minlength=12) / len(faces)
    assert np.allclose(shares, areas / areas.sum(), atol=0.02)
    assert np.allclose(points.mean(axis=0), 0.0, atol=0.003)


def test_samples_depend_on_the_generator_alone() -> None:
    mesh = sphere(0.04)
    first, _ = sample_surface(mesh, 50, np.random.default_rng(7))
    again, _ = sample_surface(mesh, 50, np.random.default_rng(7))
    other, _ = sample_surface(mesh, 50, np.random.default_rng(8))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_mesh_without_area_cannot_be_sampled() -> None:
    flat = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]], dtype=np.int32))
    with pytest.raises(MeshError, match="no area"):
        sample_surface(flat, 10, np.random.default_rng(0))


def test_nearest_distances_equal_all_pairs() -> None:
    rng = np.random.default_rng(1)
    points, targets = rng.normal(size=(30, 3)), rng.normal(size=(40, 3))
    pairs = np.linalg.norm(points[:, None] - targets, axis=2)
    assert np.allclose(nearest_distances(points, targets), pairs.min(axis=1))


def test_transform_is_undone_by_its_inverse() -> None:
    points = np.random.default_rng(2).normal(size=(4, 5, 3))
    rotation = Rotation.from_rotvec([0.2, -0.7, 1.1]).as_matrix()
    translation = np.array([0.1, 0.2, 0.3])
    moved = transform(points, rotation, translation)
    assert np.allclose(transform(moved - translation, rotation.T, np.zeros(3)), points)
    assert np.allclose(moved[1, 2], rotation @ points[1, 2] + translation)


def test_box_corners_enclose_the_vertices() -> None:
    corners = box_corners(sphere(0.05).vertices + np.array([1.0, 2.0, 3.0]))
    assert len(np.unique(corners.round(9), axis=0)) == 8
    assert np.allclose(corners.min(axis=0), [0.95, 1.95, 2.95])
    assert np.allclose(corners.max(axis=0), [1.05, 2.05, 3.05])


def test_a_mirror_image_still_faces_outwards() -> None:
    mesh = box((0.1, 0.2, 0.05))
    moved = Mesh(mesh.vertices + np.array([0.3, 0.0, 0.0]), mesh.faces)
    image = mirrored(moved)
    assert image.vertices[:, 0].max() == pytest.approx(-0.25)
    outward = face_normals(image.vertices, image.faces)
    middles = image.vertices[image.faces].mean(axis=1) - [-0.3, 0.0, 0.0]
    assert (np.einsum("fi,fi->f", outward, middles) > 0).all()
