"""Whether a hand can be seen beside what it holds, found out without drawing."""

import numpy as np

from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import sample_surface

_POINTS = 6000  # of an object, so that at arm's length no cell in it stays empty
_CELL_PX = 8
_AHEAD_M = 0.004


def surface_points(mesh: Mesh) -> Array:
    """(N, 3) points spread over a mesh, metres, its own frame; the same ones each time."""
    points, _ = sample_surface(mesh, _POINTS, np.random.default_rng(0))
    return points


def share_in_sight(skin: Array, thing: Array, camera: Camera) -> float:
    """Share of a hand's vertices that an object does not hide; what the hand hides counts.

    Args:
        skin: (V, 3) of the hand, in front of the camera, metres, camera frame.
        thing: (N, 3) points of the object's surface, likewise.
        camera: The camera.
    """
    corner = np.minimum(project(skin, camera).min(axis=0), project(thing, camera).min(axis=0))
    cells = [((project(p, camera) - corner) // _CELL_PX).astype(int) for p in (skin, thing)]
    nearest = np.full(np.maximum(*(c.max(axis=0) for c in cells)) + 1, np.inf)
    np.minimum.at(nearest, tuple(cells[1].T), thing[:, 2])
    return float((nearest[tuple(cells[0].T)] > skin[:, 2] - _AHEAD_M).mean())
