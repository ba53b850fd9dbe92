"""Closed meshes of simple shapes around the origin of their frame."""

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Mesh

# Corners of the triangles, three digits each, counter-clockwise seen from outside.
_BOX_FACES = "013 032 467 475 045 051 237 276 026 064 157 173"
_OCTAHEDRON_FACES = "012 132 342 402 105 315 435 045"


def _faces(text: str) -> NDArray[np.int32]:
    return np.array([[int(digit) for digit in face] for face in text.split()], dtype=np.int32)


def box(size: tuple[float, float, float]) -> Mesh:
    """A box along the axes.

    Args:
        size: Edges along x, y and z, metres.
    """
    corners = np.array(list(np.ndindex(2, 2, 2)), dtype=float) - 0.5
    return Mesh(corners * np.array(size), _faces(_BOX_FACES))


def sphere(radius: float, rounds: int = 3) -> Mesh:
    """An octahedron split ``rounds`` times and pushed out to a sphere.

    Args:
        radius: Metres.
        rounds: 3 gives 512 faces, each further round four times as many.
    """
    vertices = np.concatenate([np.eye(3), -np.eye(3)])
    faces = _faces(_OCTAHEDRON_FACES)
    for _ in range(rounds):
        a, b, c = (vertices[faces[:, k]] for k in range(3))
        ab, bc, ca = a + b, b + c, c + a
        parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        points = np.concatenate([np.stack(part, axis=1) for part in parts]).reshape(-1, 3)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        vertices, index = np.unique(points.round(12), axis=0, return_inverse=True)
        faces = index.reshape(-1, 3).astype(np.int32)
    return Mesh(radius * vertices, faces)


def tapered_cylinder(start_radius: float, end_radius: float, length: float) -> Mesh:
    """A cylinder from the origin along +x, with flat ends.

    Args:
        start_radius: Radius at x = 0, metres.
        end_radius: Radius at x = ``length``, metres.
        length: Metres.
    """
    sides = 32
    angle = np.linspace(0.0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.zeros(sides), np.cos(angle), np.sin(angle)], axis=1)
    end = np.array([length, 0.0, 0.0])
    centres = np.stack([np.zeros(3), end])
    vertices = np.concatenate([start_radius * ring, end_radius * ring + end, centres])
    here = np.arange(sides)
    after = (here + 1) % sides
    faces = [
        np.stack([here, sides + here, after], axis=1)[:, ::-1],
        np.stack([after, sides + here, sides + after], axis=1)[:, ::-1],
        np.stack([np.full(sides, 2 * sides), after, here], axis=1),
        np.stack([np.full(sides, 2 * sides + 1), sides + here, sides + after], axis=1),
    ]
    return Mesh(vertices, np.concatenate(faces).astype(np.int32))
