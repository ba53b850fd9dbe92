"""The objects that something held may be, prepared for being tried on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.mesh import IntArray, face_normals, sample_surface
from hoisdf_ros.postprocessing.field_samples import principal_axes
from hoisdf_ros.postprocessing.objects import KnownObject, ObjectLibrary
from hoisdf_ros.postprocessing.settling import Shape

SURFACE_POINTS = 180
"""Points of a mesh that are laid on the field."""

_LOOK_POINTS = 1200  # of a mesh that are laid on the mask and compared in colour


@dataclass(frozen=True, eq=False)
class Candidate:
    """One object of the library, around the middle of its own box.

    Args:
        object_id: Its name.
        middle: (3,) of the box, frame of the mesh, metres.
        shape: Surface and distance, from the middle.
        axes: (3, 3) its principal directions as columns, the longest first.
        points, normals: (M, 3) more of its surface, from the middle; metres, unit normals.
        colours: (M, 3) RGB of the texture there, in [0, 1]; None without a texture.
    """

    object_id: str
    middle: Array
    shape: Shape
    axes: Array
    points: Array
    normals: Array
    colours: Array | None

    @property
    def rough(self) -> Shape:
        """The shape with a third of its points, for poses that are only compared."""
        return Shape(self.shape.points[::3], self.shape.distance)


def prepare(known: KnownObject) -> Candidate:
    """Draw points on an object's surface, the same ones every time.

    Raises:
        MeshError: The mesh has no area.
    """
    mesh, rng = known.mesh, np.random.default_rng(0)
    middle = (mesh.vertices.max(axis=0) + mesh.vertices.min(axis=0)) / 2
    points, faces = sample_surface(mesh, _LOOK_POINTS, rng)
    normals = face_normals(mesh.vertices, mesh.faces)[faces]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    distance = replace(known.distance, origin=known.distance.origin - middle)
    return Candidate(
        object_id=known.object_id,
        middle=middle,
        shape=Shape(points[:SURFACE_POINTS] - middle, distance),
        axes=principal_axes(points),
        points=points - middle,
        normals=normals,
        colours=_colours(mesh, points, faces),
    )


def prepare_all(library: ObjectLibrary) -> Mapping[str, Candidate]:
    """Every object of the library; a quarter of a second each, once."""
    found = {name: library.get(name) for name in library.ids}
    return {name: prepare(known) for name, known in found.items() if known is not None}


def _colours(mesh: Mesh, points: Array, faces: IntArray) -> Array | None:
    """(M, 3) RGB in [0, 1] of the texture at points on faces."""
    if mesh.uv is None or mesh.texture is None:
        return None
    corners = mesh.vertices[mesh.faces[faces]]
    weights = _barycentric(points, corners)
    u, v = np.einsum("mc,mci->im", weights, mesh.uv[mesh.faces[faces]])
    height, width = mesh.texture.shape[:2]
    columns = np.clip(u * width, 0, width - 1).astype(int)
    rows = np.clip((1 - v) * height, 0, height - 1).astype(int)
    colours: Array = mesh.texture[rows, columns] / 255.0
    return colours


def _barycentric(points: Array, corners: Array) -> Array:
    """(M, 3) weights of the corners (M, 3, 3) at points in their planes."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    square = np.maximum(np.einsum("mi,mi->m", normal, normal), 1e-24)
    at_b = np.einsum("mi,mi->m", np.cross(points - a, c - a), normal) / square
    at_c = np.einsum("mi,mi->m", np.cross(b - a, points - a), normal) / square
    return np.stack([1 - at_b - at_c, at_b, at_c], axis=1)
