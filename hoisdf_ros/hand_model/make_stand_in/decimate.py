"""Fewer vertices by half-edge collapse with quadric errors (Garland and Heckbert 1997).

A collapse moves one vertex onto its neighbour, so the vertices left are a subset of the
original ones and keep their weights and shapes.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.errors import HandModelError
from hoisdf_ros.hand_model.assets import Array

EDGE_COST, WEIGHT_COST = 1e-9, 2e-9
"""Of an edge's length and of a change of skinning weights, next to squared distances."""
LARGEST_FOLD = 0.3
"""Cosine of the angle by which a collapse may turn a face."""
THINNEST_FACE = 0.08
"""Twice the area over the longest side squared."""


@dataclass(frozen=True)
class Goal:
    """Where to stop: numbers of all vertices and of those on the open boundary."""

    vertices: int
    boundary: int


class Decimation:
    """A triangle mesh with one open boundary while vertices are taken out of it.

    Args:
        vertices: (V, 3) positions, metres.
        faces: (F, 3) vertex indices.
        weights: (V, J) skinning weights.
        protected: Vertices that must stay.
    """

    def __init__(
        self, vertices: Array, faces: NDArray[np.int64], weights: Array, protected: set[int]
    ) -> None:
        self.vertices, self.weights, self.protected = vertices, weights, protected
        self.faces = {i: (int(a), int(b), int(c)) for i, (a, b, c) in enumerate(faces)}
        self.around: list[set[int]] = [set() for _ in vertices]
        for index, face in self.faces.items():
            for vertex in face:
                self.around[vertex].add(index)
        self.alive = {vertex for vertex, faces in enumerate(self.around) if faces}
        self.boundary = _boundary_vertices(faces)
        self.quadrics = self._face_quadrics()
        self.heap: list[tuple[float, int, int]] = []

    def run(self, goal: Goal) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Collapse the cheapest edges until the goal is reached.

        Returns:
            (K,) original indices of the vertices kept, ascending, and (G, 3) faces, which
            refer to original indices.

        Raises:
            HandModelError: No allowed collapse is left before the goal.
        """
        for vertex in sorted(self.alive):
            self._offer(vertex)
        while len(self.alive) > goal.vertices and self.heap:
            cost, gone, kept = heapq.heappop(self.heap)
            stale = gone not in self.alive or kept not in self.alive
            if stale or abs(self._cost(gone, kept) - cost) > 1e-12:
                continue
            if self._allowed(gone, kept, goal):
                self._collapse(gone, kept)
        if (len(self.alive), len(self.boundary)) != (goal.vertices, goal.boundary):
            raise HandModelError(
                f"decimation stopped at {len(self.alive)} vertices, {len(self.boundary)} on the "
                f"boundary; expected {goal.vertices} and {goal.boundary}: loosen the limits"
            )
        return np.array(sorted(self.alive)), np.array([self.faces[i] for i in sorted(self.faces)])

    def _neighbours(self, vertex: int) -> set[int]:
        """Vertices that share an edge with one."""
        return {x for face in self.around[vertex] for x in self.faces[face]} - {vertex}

    def _normal(self, face: tuple[int, ...]) -> Array:
        """A face's normal, twice its area long."""
        a, b, c = self.vertices[list(face)]
        return np.asarray(np.cross(b - a, c - a))

    def _face_quadrics(self) -> Array:
        """(V, 4, 4) sums of the squared distances to the planes around each vertex."""
        quadrics = np.zeros((len(self.vertices), 4, 4))
        for face in self.faces.values():
            normal = self._normal(face)
            area = float(np.linalg.norm(normal))
            normal = normal / max(area, 1e-15)
            plane = np.append(normal, -normal @ self.vertices[face[0]])
            for vertex in face:
                quadrics[vertex] += area * np.outer(plane, plane)
        return quadrics

    def _cost(self, gone: int, kept: int) -> float:
        """What moving one vertex onto another costs."""
        point = np.append(self.vertices[kept], 1.0)
        shape = point @ (self.quadrics[gone] + self.quadrics[kept]) @ point
        length = np.linalg.norm(self.vertices[gone] - self.vertices[kept])
        change = np.abs(self.weights[gone] - self.weights[kept]).sum()
        return float(shape + EDGE_COST * length + WEIGHT_COST * change)

    def _offer(self, vertex: int) -> None:
        """Queue the collapses of a vertex's edges, both ways."""
        for other in sorted(self._neighbours(vertex)):
            for gone, kept in ((vertex, other), (other, vertex)):
                if gone not in self.protected:
                    heapq.heappush(self.heap, (self._cost(gone, kept), gone, kept))

    def _allowed(self, gone: int, kept: int, goal: Goal) -> bool:
        """Whether a collapse leaves a manifold with sound faces and enough boundary."""
        mine, theirs = self._neighbours(gone), self._neighbours(kept)
        shared = [face for face in self.around[gone] if kept in self.faces[face]]
        opposite = {x for face in shared for x in self.faces[face]} - {gone, kept}
        if kept not in mine or (mine & theirs) != opposite or len(mine | theirs) < 5:
            return False
        if gone in self.boundary and (
            kept not in self.boundary or len(shared) != 1 or len(self.boundary) <= goal.boundary
        ):
            return False
        moved = self.around[gone] - set(shared)
        return all(self._sound(self.faces[face], gone, kept) for face in moved)

    def _sound(self, face: tuple[int, ...], gone: int, kept: int) -> bool:
        """Whether a face stays unfolded and not too thin when one corner moves."""
        after = tuple(kept if x == gone else x for x in face)
        old, new = self._normal(face), self._normal(after)
        size = float(np.linalg.norm(old) * np.linalg.norm(new))
        if size < 1e-16 or old @ new < LARGEST_FOLD * size:
            return False
        corners = self.vertices[list(after)]
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max()
        return bool(np.linalg.norm(new) >= THINNEST_FACE * longest**2)

    def _collapse(self, gone: int, kept: int) -> None:
        """Move one vertex onto another and queue the edges that changed."""
        for index in self.around[gone]:
            face = self.faces[index]
            if kept in face:
                for vertex in set(face) - {gone}:
                    self.around[vertex].discard(index)
                del self.faces[index]
            else:
                a, b, c = (kept if x == gone else x for x in face)
                self.faces[index] = (a, b, c)
                self.around[kept].add(index)
        self.around[gone] = set()
        self.alive.remove(gone)
        self.boundary.discard(gone)
        self.quadrics[kept] += self.quadrics[gone]
        for vertex in sorted({kept} | self._neighbours(kept)):
            self._offer(vertex)


def _boundary_vertices(faces: NDArray[np.int64]) -> set[int]:
    """Vertices of the edges that belong to one face only."""
    edges = np.sort(np.vstack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return {int(vertex) for vertex in unique[count == 1].ravel()}
