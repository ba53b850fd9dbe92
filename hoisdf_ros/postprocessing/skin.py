"""The surface of a posed hand: where its faces are, and which of them a camera sees."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.mesh import face_normals

_Flags = NDArray[np.bool_]

_CELL_M, _BEHIND_M = 0.008, 0.012  # of the depth buffer; a sample so far behind is hidden


@dataclass(frozen=True, eq=False)
class Samples:
    """Points of a surface, one a face.

    Args:
        points: (N, 3) middles, metres.
        normals: (N, 3) outward unit normals.
        areas: (N,) square metres.
        rim: (N,) bool, the mesh ends there.
    """

    points: Array
    normals: Array
    areas: Array
    rim: _Flags

    def pick(self, which: _Flags) -> "Samples":
        """Some of them, by (N,) flags."""
        return Samples(self.points[which], self.normals[which], self.areas[which], self.rim[which])

    def turned(self, turn: Array) -> "Samples":
        """The same after a turn (3, 3) around the origin."""
        return replace(self, points=self.points @ turn.T, normals=self.normals @ turn.T)

    def projected(self, place: Array) -> Array:
        """(N,) areas as a camera at the origin sees them, of samples moved to ``place``."""
        points = self.points + place
        cosine = np.abs((self.normals * points).sum(axis=1)) / np.linalg.norm(points, axis=1)
        areas: Array = self.areas * cosine
        return areas

    def visible(self, place: Array) -> "Samples":
        """Those that, moved to ``place`` (3,), face the camera with no other before them."""
        front = self.pick(((self.points + place) * self.normals).sum(axis=1) < 0)
        points = front.points + place
        cells = np.floor(points[:, :2] / points[:, 2:] * (place[2] / _CELL_M)).astype(int)
        cells -= cells.min(axis=0)
        keys = cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1]
        nearest = np.full(keys.max() + 1, np.inf)
        np.minimum.at(nearest, keys, points[:, 2])
        return front.pick(points[:, 2] < nearest[keys] + _BEHIND_M)


class Skin:
    """What of a hand's surface does not depend on its pose.

    Args:
        faces: (F, 3) triangles, anticlockwise seen from outside.
    """

    def __init__(self, faces: NDArray[np.integer]) -> None:
        self._faces = faces.astype(np.int32)
        self._rim = _at_rim(self._faces)

    def at(self, vertices: Array) -> Samples:
        """The surface of a posed hand, (V, 3) vertices in metres."""
        normals = face_normals(vertices, self._faces)
        double_area = np.linalg.norm(normals, axis=1)
        normals /= np.maximum(double_area, 1e-12)[:, None]
        return Samples(vertices[self._faces].mean(axis=1), normals, double_area / 2, self._rim)


def _at_rim(faces: NDArray[np.int32]) -> _Flags:
    """Which faces touch an edge that only one face has, as at the wrist's open end."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return np.asarray(np.isin(faces, unique[count == 1]).any(axis=1), dtype=np.bool_)
