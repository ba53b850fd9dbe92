"""Closed meshes have no rim."""

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.geometry import primitives
from hoisdf_ros.geometry.closing import close_holes, open_loops
from hoisdf_ros.geometry.mesh import face_normals
from hoisdf_ros.hand_model.stand_in import load_stand_in


def _volume(
    vertices: "np.typing.NDArray[np.float64]", faces: "np.typing.NDArray[np.int32]"
) -> float:
    middles = vertices[faces].mean(axis=1)
    return float(np.einsum("fi,fi->", face_normals(vertices, faces), middles) / 6)


def test_a_closed_mesh_stays_as_it_is() -> None:
    faces = primitives.box((1, 2, 3)).faces
    assert open_loops(faces) == []
    np.testing.assert_array_equal(close_holes(faces), faces)


def test_two_holes_are_filled_with_the_right_side_out() -> None:
    mesh = primitives.box((1, 2, 3))
    normals = face_normals(mesh.vertices, mesh.faces)
    walls = mesh.faces[np.abs(normals[:, 2]) < 1e-9]
    assert sorted(len(loop) for loop in open_loops(walls)) == [4, 4]
    closed = close_holes(walls)
    assert open_loops(closed) == []
    assert abs(_volume(mesh.vertices, closed) - 6.0) < 1e-12


def test_the_hand_is_closed_at_the_wrist() -> None:
    for side in (Side.LEFT, Side.RIGHT):
        hand = load_stand_in(side)
        faces = hand.faces.astype(np.int32)
        assert [len(loop) for loop in open_loops(faces)] == [16]
        closed = close_holes(faces)
        assert len(closed) == 1538 + 14
        assert 1e-4 < _volume(hand.v_template, closed) < 6e-4  # cubic metres, outward
