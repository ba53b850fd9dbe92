"""Triangle meshes: reading, normals, sampling, distances."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from hoisdf_ros.conventions import MIRROR
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import MeshError

IntArray = NDArray[np.int32]

PACKAGED_OBJECTS = Path(__file__).resolve().parents[1] / "assets" / "objects"
"""Folder of the meshes that come with this package, one ``<object_id>/textured.obj`` each."""


class _ObjReader:
    """Collects the corners of a Wavefront OBJ file line by line.

    A corner is a pair (position, texture coordinate); equal corners become one vertex of the
    mesh, so a position on a texture seam becomes several.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.materials = ""
        self.positions: list[list[float]] = []
        self.coordinates: list[list[float]] = []
        self.corners: dict[tuple[int, int], int] = {}
        self.faces: list[tuple[int, int, int]] = []

    def read(self, text: str) -> None:
        """Take in all lines; kinds of lines that carry no geometry are skipped."""
        for number, line in enumerate(text.splitlines(), start=1):
            word, _, rest = line.strip().partition(" ")
            try:
                self._take(word, rest)
            except (ValueError, IndexError) as error:
                raise MeshError(
                    f"{self.path}, line {number}: cannot read '{line.strip()}' ({error}); "
                    "expected Wavefront OBJ, export the mesh again"
                ) from error

    def _take(self, word: str, rest: str) -> None:
        if word == "v":
            self.positions.append(_floats(rest, 3))
        elif word == "vt":
            self.coordinates.append(_floats(rest, 2))
        elif word == "f":
            polygon = [self._corner(item) for item in rest.split()]
            if len(polygon) < 3:
                raise ValueError(f"a face of {len(polygon)} corners")
            self.faces += [(polygon[0], b, c) for b, c in pairwise(polygon[1:])]
        elif word == "mtllib":
            self.materials = rest.strip()

    def _corner(self, item: str) -> int:
        fields = item.split("/")
        position = _index(fields[0], len(self.positions))
        has_uv = len(fields) > 1 and fields[1]
        coordinate = _index(fields[1], len(self.coordinates)) if has_uv else -1
        return self.corners.setdefault((position, coordinate), len(self.corners))


def _floats(text: str, count: int) -> list[float]:
    values = [float(word) for word in text.split()[:count]]
    if len(values) < count or not np.isfinite(values).all():
        raise ValueError(f"expected {count} finite numbers")
    return values


def _index(text: str, count: int) -> int:
    """Zero-based index; OBJ counts from 1, and back from the last when negative."""
    value = int(text)
    index = value - 1 if value > 0 else count + value
    if not 0 <= index < count:
        raise IndexError(f"index {value}, but {count} were defined before")
    return index


def load_mesh(path: Path) -> Mesh:
    """Read a Wavefront OBJ mesh with the texture its material names.

    Polygons become triangles; normals in the file are ignored. Positions are metres.

    Args:
        path: The ``.obj`` file; ``map_Kd`` of its ``mtllib`` is the texture.

    Returns:
        The mesh; uv and texture are None unless the file has both.

    Raises:
        MeshError: The file or its texture is missing, empty or malformed.
    """
    reader = _ObjReader(path)
    try:
        reader.read(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise MeshError(
            f"{path}: {error.strerror}; expected a Wavefront OBJ file, as in "
            "<object_dir>/<object_id>/textured.obj"
        ) from error
    if not reader.faces:
        raise MeshError(f"{path}: no faces; expected a triangle mesh in Wavefront OBJ")
    corners = np.array(list(reader.corners), dtype=np.int32)
    texture = _texture(path.parent / reader.materials) if reader.materials else None
    if (corners[:, 1] < 0).any():
        texture = None
    uv = None if texture is None else np.array(reader.coordinates)[corners[:, 1]]
    vertices = np.array(reader.positions)[corners[:, 0]]
    return Mesh(vertices, np.array(reader.faces, dtype=np.int32), uv, texture, path)


def _texture(library: Path) -> NDArray[np.uint8] | None:
    """(H, W, 3) uint8 RGB picture named by a material file, or None when it names none."""
    try:
        lines = library.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise MeshError(
            f"{library}: {error.strerror}; the mesh names it as its mtllib, put it beside the mesh"
        ) from error
    names = [line.split(maxsplit=1)[1] for line in lines if line.strip().startswith("map_Kd ")]
    if not names:
        return None
    path = library.parent / names[0].strip()
    # asked first, since OpenCV writes to the terminal about a missing file
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if picture is None:
        raise MeshError(
            f"{path}: expected a readable picture, as {library.name} says; put it beside the mesh"
        )
    return np.ascontiguousarray(picture[..., ::-1], dtype=np.uint8)


def find_objects(directory: Path) -> dict[str, Path]:
    """Object ids and mesh files of a folder with one ``<object_id>/textured.obj`` per object.

    Raises:
        MeshError: The folder holds no such file.
    """
    found = {file.parent.name: file for file in sorted(directory.glob("*/textured.obj"))}
    if not found:
        raise MeshError(
            f"'{directory}' holds no <object_id>/textured.obj; set object_dir to a folder of "
            "meshes, or leave it empty for the packaged demo set"
        )
    return found


def face_normals(vertices: Array, faces: IntArray) -> Array:
    """(F, 3) outward normals as long as twice the face's area, square metres."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.asarray(np.cross(b - a, c - a), dtype=float)


def vertex_normals(vertices: Array, faces: IntArray) -> Array:
    """Unit normals, the mean over the faces around each vertex weighted by their area.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex indices.

    Returns:
        (V, 3) unit normals; zero for a vertex without a face. Vertices that only share their
        place, as at a texture seam, are apart: pass faces through `weld` to join them.
    """
    per_face = face_normals(vertices, faces)
    corners = faces.ravel()
    total = np.empty((len(vertices), 3))
    for k in range(3):
        total[:, k] = np.bincount(corners, np.repeat(per_face[:, k], 3), len(vertices))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    total /= np.where(length > 0, length, 1.0)
    return total


def weld(vertices: Array) -> IntArray:
    """(V,) index of the first vertex at the same place, for each vertex."""
    _, first, inverse = np.unique(vertices, axis=0, return_index=True, return_inverse=True)
    return first[inverse.reshape(-1)].astype(np.int32)


def sample_surface(mesh: Mesh, count: int, rng: np.random.Generator) -> tuple[Array, IntArray]:
    """Points spread over the surface with equal density.

    Args:
        mesh: The mesh.
        count: Number N of points.
        rng: Where the chance comes from.

    Returns:
        points (N, 3) in metres, frame of the mesh, and the face (N,) each lies on.

    Raises:
        MeshError: The mesh has no area.
    """
    area = np.linalg.norm(face_normals(mesh.vertices, mesh.faces), axis=1)
    if not area.sum() > 0:
        raise MeshError(f"mesh {mesh.path or ''} has no area: cannot draw points on its surface")
    faces = rng.choice(len(area), size=count, p=area / area.sum()).astype(np.int32)
    a, b, c = (mesh.vertices[mesh.faces[faces, k]] for k in range(3))
    # Osada et al. 2002, eq. 1: the root makes the density even inside the triangle
    u, v = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    points: Array = (1 - u) * a + u * (1 - v) * b + u * v * c
    return points, faces


def nearest_distances(points: ArrayLike, targets: ArrayLike) -> Array:
    """(N,) metres from each of (N, 3) points to the nearest of (M, 3) targets."""
    distances, _ = cKDTree(np.asarray(targets, dtype=float)).query(np.asarray(points, dtype=float))
    return np.asarray(distances, dtype=float)


def transform(points: Array, rotation: Array, translation: Array) -> Array:
    """Take points to another frame.

    Args:
        points: (..., 3) metres, frame b.
        rotation: (3, 3) a-from-b.
        translation: (3,) origin of frame b in frame a, metres.

    Returns:
        (..., 3) metres, frame a.
    """
    moved: Array = points @ rotation.T + translation
    return moved


def mirrored(mesh: Mesh) -> Mesh:
    """The mirror image: x of the vertices negated, faces still outwards."""
    return replace(mesh, vertices=mesh.vertices @ MIRROR, faces=mesh.faces[:, ::-1].copy())


def box_corners(vertices: Array) -> Array:
    """(8, 3) corners of the box along the axes around (V, 3) vertices."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    bits = np.array(list(np.ndindex(2, 2, 2)))
    corners: Array = low + bits * (high - low)
    return corners
