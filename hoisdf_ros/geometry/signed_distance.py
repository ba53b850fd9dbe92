"""Signed distance to a mesh: exact for points, tabulated on a grid; positive outside.

The sign follows the angle-weighted pseudonormal of the nearest vertex, edge or face
(Baerentzen & Aanaes 2005), which is right everywhere for closed meshes with outward faces.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label, map_coordinates
from scipy.spatial import cKDTree

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.mesh import IntArray, face_normals, weld

_SAMPLES = 8_000  # points spread over the surface to find the faces near a query
_CANDIDATES = 8  # samples whose faces are looked at exactly
_CHUNK = 16_384  # queries at a time, bounds the memory


@dataclass(frozen=True)
class SurfacePoints:
    """Nearest points of a surface.

    Args:
        points: (N, 3) metres, frame of the mesh.
        faces: (N,) face each lies on.
        weights: (N, 3) barycentric weights of the face's corners; a zero is exact.
    """

    points: Array
    faces: IntArray
    weights: Array


def _on_segment(p: Array, a: Array, b: Array) -> Array:
    """(N,) where between a (0) and b (1) each segment comes closest to p."""
    along = b - a
    length = np.einsum("ni,ni->n", along, along)
    share = np.einsum("ni,ni->n", p - a, along) / np.where(length > 0, length, 1.0)
    clipped: Array = np.clip(share, 0.0, 1.0)
    return clipped


def _closest_weights(p: Array, corners: Array) -> Array:
    """(N, 3) barycentric weights of the point of each triangle (N, 3, 3) nearest to p (N, 3)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    square = np.einsum("ni,ni->n", normal, normal)
    scale = 1.0 / np.where(square > 0, square, 1.0)
    weights = np.empty((len(p), 3))
    weights[:, 1] = np.einsum("ni,ni->n", np.cross(p - a, c - a), normal) * scale
    weights[:, 2] = np.einsum("ni,ni->n", np.cross(b - a, p - a), normal) * scale
    weights[:, 0] = 1.0 - weights[:, 1] - weights[:, 2]
    beside = np.flatnonzero((weights.min(axis=1) <= 0) | (square <= 0))
    weights[beside] = _closest_edge_weights(p[beside], corners[beside])
    return weights


def _closest_edge_weights(p: Array, corners: Array) -> Array:
    """As `_closest_weights`, for points whose nearest point lies on an edge."""
    rows = np.arange(len(p))
    options = np.zeros((3, len(p), 3))
    for k in range(3):
        share = _on_segment(p, corners[:, k], corners[:, (k + 1) % 3])
        options[k, :, k], options[k, :, (k + 1) % 3] = 1.0 - share, share
    reached = np.einsum("knc,nci->kni", options, corners)
    best = np.square(reached - p).sum(axis=2).argmin(axis=0)
    weights: Array = options[best, rows]
    return weights


def _spread(vertices: Array, faces: IntArray) -> tuple[Array, IntArray]:
    """Points spread evenly over each face, at least one, and the face each lies on."""
    corners = vertices[faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)
    area = np.linalg.norm(face_normals(vertices, faces), axis=1).sum() / 2
    step = np.sqrt(2 * area / _SAMPLES)
    splits = np.ceil(np.maximum(edges.max(axis=1) / step, 1.0)).astype(int)
    points, owners = [], []
    for n in np.unique(splits):
        chosen = np.flatnonzero(splits == n)
        i, j = (index.ravel() for index in np.meshgrid(np.arange(n), np.arange(n)))
        inside = i + j < n
        u, v = (i[inside] + 1 / 3) / n, (j[inside] + 1 / 3) / n
        weights = np.stack([1 - u - v, u, v], axis=1)
        points.append(np.einsum("sc,fci->fsi", weights, corners[chosen]).reshape(-1, 3))
        owners.append(np.repeat(chosen, len(weights)))
    return np.concatenate(points), np.concatenate(owners).astype(np.int32)


def _sums(groups: NDArray[np.integer[Any]], values: Array) -> Array:
    """(max of groups + 1, 3) sum of the rows (N, 3) of each group (N,)."""
    return np.stack([np.bincount(groups, column) for column in values.T], axis=1)


class Surface:
    """A mesh prepared for nearest-point and signed-distance queries.

    The faces looked at are those of the samples nearest to the query, so a distance can come
    out too large by a fraction of the sample spacing (about 2 mm for a bottle) in rare cases.

    Args:
        mesh: A triangle mesh; closed with outward faces for the sign to have a meaning.

    Raises:
        MeshError: The mesh has no area.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._vertices, self._faces = mesh.vertices, mesh.faces
        scaled = face_normals(mesh.vertices, mesh.faces)
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        if not length.sum() > 0:
            raise MeshError(f"mesh {mesh.path or ''} has no area: it has no distance field")
        self._face_normals: Array = scaled / np.where(length > 0, length, 1.0)
        welded = weld(mesh.vertices)[mesh.faces]
        self._edge_normals = self._sum_over_edges(welded)
        self._vertex_normals = self._sum_over_vertices(welded)
        samples, self._owners = _spread(mesh.vertices, mesh.faces)
        self._tree = cKDTree(samples)

    def _sum_over_edges(self, welded: IntArray) -> Array:
        """(F, 3, 3) normal of the edge opposite to each corner."""
        ends = np.stack([welded[:, [1, 2]], welded[:, [2, 0]], welded[:, [0, 1]]], axis=1)
        low, high = ends.min(axis=2).ravel(), ends.max(axis=2).ravel()
        _, edge = np.unique(low * np.int64(len(self._vertices)) + high, return_inverse=True)
        total = _sums(edge, np.repeat(self._face_normals, 3, axis=0))
        normals: Array = total[edge].reshape(-1, 3, 3)
        return normals

    def _sum_over_vertices(self, welded: IntArray) -> Array:
        """(F, 3, 3) normal of each corner, weighted by the angles of the faces around it."""
        corners = self._vertices[self._faces]
        weighted = np.empty_like(corners)
        for k in range(3):
            u, v = (corners[:, (k + m) % 3] - corners[:, k] for m in (1, 2))
            sine = np.linalg.norm(np.cross(u, v), axis=1)
            angle = np.arctan2(sine, np.einsum("fi,fi->f", u, v))
            weighted[:, k] = angle[:, None] * self._face_normals
        total = _sums(welded.ravel(), weighted.reshape(-1, 3))
        normals: Array = total[welded]
        return normals

    def closest(self, points: Array) -> SurfacePoints:
        """The nearest point of the surface for each of (N, 3) points in metres."""
        chunks = np.array_split(np.asarray(points, dtype=float), len(points) // _CHUNK + 1)
        parts = [self._closest(chunk) for chunk in chunks]
        return SurfacePoints(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.faces for part in parts]),
            np.concatenate([part.weights for part in parts]),
        )

    def _closest(self, points: Array) -> SurfacePoints:
        count, width = len(points), min(_CANDIDATES, len(self._owners))
        _, near = self._tree.query(points, k=width)
        faces = self._owners[np.asarray(near).reshape(count, width)]  # (N, K)
        corners = self._vertices[self._faces[faces.ravel()]]
        weights = _closest_weights(np.repeat(points, width, axis=0), corners)
        reached = np.einsum("nc,nci->ni", weights, corners).reshape(count, width, 3)
        square = np.square(reached - points[:, None]).sum(axis=2)
        best = (np.arange(count), square.argmin(axis=1))
        return SurfacePoints(reached[best], faces[best], weights.reshape(count, width, 3)[best])

    def signed_distance(self, points: Array) -> Array:
        """(N,) metres from each of (N, 3) points to the surface, negative inside."""
        near = self.closest(points)
        apart = points - near.points
        zeros = near.weights <= 0
        corner = near.weights.argmax(axis=1)
        normal = self._face_normals[near.faces]
        on_edge, on_vertex = zeros.sum(axis=1) == 1, zeros.sum(axis=1) == 2
        edge = self._edge_normals[near.faces, zeros.argmax(axis=1)]
        normal = np.where(on_edge[:, None], edge, normal)
        normal = np.where(on_vertex[:, None], self._vertex_normals[near.faces, corner], normal)
        inside = np.einsum("ni,ni->n", apart, normal) < 0
        distance = np.linalg.norm(apart, axis=1)
        signed: Array = np.where(inside, -distance, distance)
        return signed


def _agree_on_signs(distances: Array, spacing: float) -> Array:
    """The grid (X, Y, Z) with one sign for each region that the surface cannot part.

    Neighbours farther than half a cell from the surface lie on the same side of it, so a region
    of such cells takes the sign of its majority. This mends the stray signs that folded or
    doubled faces, which scanned meshes have, cast far away.
    """
    clear = np.abs(distances) > spacing / 2
    region, count = label(clear)
    votes = np.bincount(region.ravel(), np.sign(distances).ravel(), count + 1)
    signs = np.where(clear, np.where(votes < 0, -1.0, 1.0)[region], np.sign(distances))
    agreed: Array = signs * np.abs(distances)
    return agreed


@dataclass(frozen=True)
class SignedDistanceGrid:
    """Signed distance on a regular grid, looked up by trilinear interpolation.

    Args:
        origin: (3,) first grid point, metres, frame of the mesh.
        spacing: Edge of a cell, metres.
        values: (X, Y, Z) float32 metres, positive outside.
    """

    origin: Array
    spacing: float
    values: NDArray[np.float32]

    @classmethod
    def of(cls, mesh: Mesh, spacing: float = 0.004, margin: float = 0.02) -> "SignedDistanceGrid":
        """Tabulate a closed mesh.

        Args:
            mesh: A closed triangle mesh with outward faces.
            spacing: Edge of a cell, metres.
            margin: Room around the mesh, metres.

        Raises:
            MeshError: The mesh has no area.
        """
        origin = mesh.vertices.min(axis=0) - margin
        shape = np.ceil((mesh.vertices.max(axis=0) + margin - origin) / spacing).astype(int) + 1
        points = np.indices(shape).reshape(3, -1).T * spacing + origin
        distances = Surface(mesh).signed_distance(points).reshape(shape)
        agreed = _agree_on_signs(distances, spacing)
        return cls(origin, spacing, agreed.astype(np.float32))

    def mirrored(self) -> "SignedDistanceGrid":
        """The grid of the mirror image, x negated."""
        high = self.origin[0] + (len(self.values) - 1) * self.spacing
        origin = np.array([-high, *self.origin[1:]])
        return SignedDistanceGrid(origin, self.spacing, self.values[::-1].copy())

    def __call__(self, points: Array) -> Array:
        """Signed distance at (..., 3) points in metres, frame of the mesh.

        Returns:
            (...) metres; beyond the grid the value at its border plus the way to it, which is
            never less than the distance.
        """
        flat = points.reshape(-1, 3)
        high = self.origin + (np.array(self.values.shape) - 1) * self.spacing
        held = np.clip(flat, self.origin, high)
        cells = ((held - self.origin) / self.spacing).T
        inside = map_coordinates(self.values, cells, output=np.float64, order=1, mode="nearest")
        distance: Array = inside + np.linalg.norm(flat - held, axis=1)
        return distance.reshape(points.shape[:-1])
