"""The objects of the synthetic pictures: the packaged YCB meshes and a few simple shapes."""

from pathlib import Path

import numpy as np

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects, load_mesh
from hoisdf_ros.geometry.primitives import box, sphere, tapered_cylinder

_SPLITS_OF_A_BOX = 12  # so that its vertices are as close as a scanned mesh's


def synthetic_meshes(object_dir: Path = PACKAGED_OBJECTS) -> dict[str, Mesh]:
    """Meshes by object id, as in `Sample.object_id` of synthetic pictures.

    Args:
        object_dir: One ``<object_id>/textured.obj`` per object.

    Raises:
        MeshError: The objects cannot be read.
    """
    scanned = {name: load_mesh(path) for name, path in find_objects(object_dir).items()}
    return scanned | {
        "shape_ball": sphere(0.034),
        "shape_block": _fine_box((0.045, 0.07, 0.15)),
        "shape_card": _fine_box((0.022, 0.09, 0.12)),
        "shape_rod": _centred(tapered_cylinder(0.018, 0.018, 0.19)),
        "shape_cup": _centred(tapered_cylinder(0.028, 0.04, 0.11)),
    }


def _centred(mesh: Mesh) -> Mesh:
    middle = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    return Mesh(mesh.vertices - middle, mesh.faces)


def _fine_box(size: tuple[float, float, float]) -> Mesh:
    """A box whose faces are split, for error measures over vertices."""
    coarse = box(size)
    steps = np.linspace(0.0, 1.0, _SPLITS_OF_A_BOX + 1)
    cells = np.arange(_SPLITS_OF_A_BOX)
    vertices: list[Array] = []
    faces = []
    for first, second in coarse.faces.reshape(-1, 2, 3):
        a, b, c, d = _rectangle(coarse.vertices, first.tolist(), second.tolist())
        u, v = (grid.ravel()[:, None] for grid in np.meshgrid(steps, steps, indexing="ij"))
        here = sum(map(len, vertices))
        vertices.append((1 - u) * (1 - v) * a + u * (1 - v) * b + u * v * c + (1 - u) * v * d)
        i, j = (grid.ravel() for grid in np.meshgrid(cells, cells, indexing="ij"))
        corner = here + i * len(steps) + j
        right, up = corner + len(steps), corner + 1
        faces += [np.stack([corner, right, right + 1], 1), np.stack([corner, right + 1, up], 1)]
    return Mesh(np.concatenate(vertices), np.concatenate(faces).astype(np.int32))


def _rectangle(vertices: Array, first: list[int], second: list[int]) -> Array:
    """(4, 3) corners in order of the rectangle that two neighbouring triangles make."""
    lone = next(corner for corner in second if corner not in first)
    apart = next(k for k, corner in enumerate(first) if corner not in second)
    around = first[apart:] + first[:apart]  # the corner only the first has, then the diagonal
    return vertices[[around[0], around[1], lone, around[2]]]
