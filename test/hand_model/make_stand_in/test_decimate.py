"""Decimation: a height field loses vertices and stays a sound sheet."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.errors import HandModelError
from hoisdf_ros.hand_model.assets import Array
from hoisdf_ros.hand_model.make_stand_in.decimate import Decimation, Goal

SIZE = 12


def sheet() -> tuple[Array, NDArray[np.int64]]:
    """A wavy square of SIZE x SIZE vertices, 1 cm apart."""
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij")
    z = 0.3 * np.sin(x) + 0.001 * y
    cell = (x * SIZE + y)[:-1, :-1].ravel()
    corner, right, up = cell, cell + SIZE, cell + 1
    faces = np.concatenate(
        [np.stack([corner, right, right + 1], 1), np.stack([corner, right + 1, up], 1)]
    )
    return 0.01 * np.stack([x, y, z], axis=-1).reshape(-1, 3), faces


def test_the_goal_is_met_with_original_vertices_and_sound_faces() -> None:
    vertices, faces = sheet()
    protected = {5 * SIZE + 5, 0}
    mesh = Decimation(vertices, faces, np.ones((len(vertices), 1)), protected)
    kept, left = mesh.run(Goal(vertices=70, boundary=36))
    assert len(kept) == 70
    assert protected <= set(kept.tolist())
    assert np.array_equal(np.unique(left), kept)
    assert len(left) == 2 * 70 - 2 - 36  # Euler's formula for a disc
    edges = np.sort(np.concatenate([left[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1)
    _, count = np.unique(edges, axis=0, return_counts=True)
    assert (count <= 2).all()
    assert (count == 1).sum() == 36
    a, b, c = vertices[left.T]
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()  # nothing folded over


def test_what_stands_out_stays() -> None:
    vertices, faces = sheet()
    vertices[:, 2] = 0.0
    peaks = [3 * SIZE + 4, 8 * SIZE + 7]
    vertices[peaks, 2] = 0.004
    mesh = Decimation(vertices, faces, np.ones((len(vertices), 1)), set())
    kept, _ = mesh.run(Goal(vertices=80, boundary=40))
    assert set(peaks) <= set(kept.tolist())


def test_a_goal_out_of_reach_is_refused() -> None:
    vertices, faces = sheet()
    mesh = Decimation(vertices, faces, np.ones((len(vertices), 1)), set(range(len(vertices))))
    with pytest.raises(HandModelError, match="decimation stopped at 144 vertices"):
        mesh.run(Goal(vertices=100, boundary=20))
