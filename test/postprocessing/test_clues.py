"""Clues of where a posed hand is: each pulls where it should, and they add up."""

import numpy as np
import pytest

from hoisdf_ros.conventions import LANDMARK_WRIST_AHEAD_M, MIDDLE_MCP, WRIST
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.postprocessing.clues import Clues
from hoisdf_ros.postprocessing.reprojection import rays, turned_to_pixels

CAMERA = Camera(600, 600, 320, 240, 640, 480)
PLACE = np.array([0.04, -0.03, 0.6])
JOINTS = np.array(
    [
        [0, 0, 0],
        *([0.02 * (f - 2), -0.03 * (s + 2), 0.004 * s * f] for f in range(5) for s in range(4)),
    ]
)
"""(21, 3) of a hand, fingers up and a little bent, metres from the wrist."""


def _landmarks(turn: Array) -> Array:
    """(21, 3) of the hand as it is, where the landmark network sees its joints."""
    points = JOINTS.copy()
    ahead = points[MIDDLE_MCP] - points[WRIST]
    points[WRIST] += LANDMARK_WRIST_AHEAD_M * ahead / np.linalg.norm(ahead)
    seen: Array = points @ turn.T + PLACE
    return seen


def _settled(clues: Clues, place: Array, rounds: int = 20) -> tuple[Array, Array]:
    turn = np.eye(3)
    for _ in range(rounds):
        matrix, pull = clues.at(turn, place, np.zeros(3))
        step = np.linalg.solve(matrix + 1e-6 * np.eye(6), pull)
        turn, place = matrix_from_rotation_vector(step[3:]) @ turn, place + step[:3]
    return turn, place


def _off(turn: Array, other: Array) -> float:
    return float(np.linalg.norm(rotation_vector_from_matrix(turn @ other.T)))


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.4), (0.3, 0.0, -0.2), (0.1, 0.3, 0.1)])
def test_a_hand_is_turned_to_where_its_joints_are_seen(turn: tuple[float, ...]) -> None:
    true = matrix_from_rotation_vector(np.array(turn))
    seen = project(_landmarks(true), CAMERA)
    found, place = turned_to_pixels(JOINTS, seen, PLACE + np.array([0.02, -0.01, 0.0]), CAMERA)
    assert _off(found, true) < 0.65 * np.linalg.norm(turn)  # a tilt is hardly seen
    assert np.linalg.norm((place - PLACE)[:2]) < 0.008
    assert place[2] == PLACE[2]


def test_one_landmark_that_has_slipped_hardly_turns_the_hand() -> None:
    seen = project(_landmarks(np.eye(3)), CAMERA)
    seen[8] += np.array([60.0, 40.0])
    found, place = turned_to_pixels(JOINTS, seen, PLACE, CAMERA)
    assert _off(found, np.eye(3)) < 0.1
    assert np.linalg.norm(place - PLACE) < 0.006


def test_the_forearm_says_where_the_wrist_is_behind_the_end_of_the_mask() -> None:
    back = JOINTS[WRIST] - JOINTS[MIDDLE_MCP]
    forearm = PLACE - 0.01 * back / np.linalg.norm(back)
    turn, place = _settled(
        Clues(JOINTS, 0.5, forearm=forearm), PLACE + np.array([0.02, 0.03, -0.03])
    )
    np.testing.assert_allclose(place, PLACE, atol=1e-6)
    np.testing.assert_allclose(turn, np.eye(3), atol=1e-9)


def test_another_ones_forearm_pulls_no_harder_the_farther_off_it_is() -> None:
    pulls = [
        np.linalg.norm(
            Clues(JOINTS, 0.5, forearm=PLACE + np.array([x, 0, 0])).at(np.eye(3), PLACE, PLACE)[1][
                :3
            ]
        )
        for x in (0.1, 0.3)
    ]
    assert pulls[1] == pytest.approx(pulls[0], rel=0.15)


def test_clues_add_up_and_without_any_only_the_networks_turn_is_left() -> None:
    turn = matrix_from_rotation_vector(np.array([0.1, -0.2, 0.05]))
    slopes = (_landmarks(np.eye(3))[:, :2] / _landmarks(np.eye(3))[:, 2:]).astype(float)
    center, forearm = np.array([0.01, -0.06, 0.0]), PLACE + np.array([0.0, 0.01, 0.0])
    bare = Clues(JOINTS, 0.5).at(turn, PLACE, center)
    some = [
        Clues(JOINTS, 0.5, slopes).at(turn, PLACE, center),
        Clues(JOINTS, 0.5, None, forearm).at(turn, PLACE, center),
    ]
    every = Clues(JOINTS, 0.5, slopes, forearm).at(turn, PLACE, center)
    for part in (0, 1):
        np.testing.assert_allclose(every[part] + bare[part], some[0][part] + some[1][part])
    assert not bare[0][:3].any()
    np.testing.assert_allclose(bare[1][3:], -rotation_vector_from_matrix(turn) / 0.25)
    assert np.linalg.eigvalsh(every[0]).min() > 0


def test_the_equations_are_those_of_the_pixels_by_differences() -> None:
    """What a small step and turn do to the weighted errors is what the matrix says."""
    rng = np.random.default_rng(0)
    seen = _landmarks(np.eye(3))
    slopes = seen[:, :2] / seen[:, 2:] + rng.normal(scale=0.005, size=(21, 2))
    clues, center = Clues(JOINTS, 1e3, slopes), np.array([0.01, -0.06, 0.0])
    matrix, pull = clues.at(np.eye(3), PLACE, center)
    for way in range(6):
        step = np.zeros(6)
        step[way] = 1e-5
        turn = matrix_from_rotation_vector(step[3:])
        moved = clues.at(turn, PLACE + step[:3] + center - turn @ center, center)[1]
        expected = -(matrix @ step)
        np.testing.assert_allclose(moved - pull, expected, atol=0.05 * np.abs(expected).max())


def test_landmarks_beyond_the_image_say_nothing() -> None:
    seen = project(_landmarks(np.eye(3)), CAMERA)
    turned, place = turned_to_pixels(JOINTS, seen, PLACE, CAMERA)
    seen[5:9] = [[-3.0, 200.0], [900.0, 100.0], [200.0, -0.1], [100.0, 480.0]]
    slopes = rays(seen, CAMERA)
    assert np.isnan(slopes[5:9]).all()
    assert np.isfinite(np.delete(slopes, slice(5, 9), axis=0)).all()
    without, there = turned_to_pixels(JOINTS, seen, PLACE, CAMERA)
    assert _off(without, turned) < 0.01
    np.testing.assert_allclose(there, place, atol=1e-3)
    nothing = Clues(JOINTS, 0.5, np.full((21, 2), np.nan)).at(np.eye(3), PLACE, np.zeros(3))
    np.testing.assert_array_equal(
        nothing[0], Clues(JOINTS, 0.5).at(np.eye(3), PLACE, np.zeros(3))[0]
    )
