"""Closing a mesh, so that inside and outside have a meaning."""

from itertools import pairwise

import numpy as np

from hoisdf_ros.geometry.mesh import IntArray


def open_loops(faces: IntArray) -> list[list[int]]:
    """The rims of a mesh's holes.

    Args:
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.

    Returns:
        Each rim as vertex indices, in the order in which a face that fills the hole has them.
    """
    edges = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)]).astype(np.int64)
    count = int(edges.max()) + 1 if len(edges) else 0
    forth, back = edges @ [count, 1], edges @ [1, count]
    following = {int(b): int(a) for a, b in edges[~np.isin(back, forth)]}
    loops = []
    while following:
        start, vertex = following.popitem()
        loop = [start]
        while vertex != start:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(loop)
    return loops


def close_holes(faces: IntArray) -> IntArray:
    """The faces, and a fan over each hole.

    MANO's hand is open at the wrist (16 edges); closed so, it has the 14 further faces that the
    field's other work closes it with.

    Args:
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.

    Returns:
        (F + n - 2 for each hole of n edges, 3).
    """
    fans = [[loop[0], b, c] for loop in open_loops(faces) for b, c in pairwise(loop[1:])]
    return np.concatenate([faces, np.array(fans, dtype=faces.dtype).reshape(-1, 3)])
