"""Still things stand still, fast ones are not held back, and rotations stay rotations."""

import numpy as np
import pytest

from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.postprocessing.objects import RawObject
from hoisdf_ros.postprocessing.smoothing import OneEuro, OneEuroTurn, Smoother

FRAME_S = 1 / 30


def test_noise_around_a_place_is_less_afterwards() -> None:
    noise = np.random.default_rng(0).normal(0, 0.004, (200, 3))
    smooth = OneEuro(1.5, 40.0)
    out = np.array([smooth(value, FRAME_S) for value in noise])
    assert out[50:].std() < 0.6 * noise[50:].std()
    assert abs(out[50:].mean()) < 0.001


def test_a_fast_hand_is_followed_closely() -> None:
    path = np.outer(np.arange(60) * FRAME_S, [0.6, 0.0, 0.0])  # metres, 0.6 m/s
    smooth = OneEuro(1.5, 40.0)
    out = np.array([smooth(value, FRAME_S) for value in path])
    assert abs(out[-1] - path[-1]).max() < 0.006


def test_the_first_value_and_one_of_the_same_moment_come_out_as_they_are() -> None:
    smooth, turn = OneEuro(1.5, 40.0), OneEuroTurn(1.5, 3.0)
    value, rotation = np.ones(3), np.eye(3)[None]
    assert smooth(value, 0.0) is value
    assert smooth(value + 1, 0.0).tolist() == [2, 2, 2]
    assert turn(rotation, FRAME_S) is rotation


def test_turns_stay_turns_and_tremble_less() -> None:
    rng = np.random.default_rng(0)
    vectors = np.array([2.5, 1.0, 0.0]) + rng.normal(0, 0.05, (100, 4, 3))
    turns, smooth = matrix_from_rotation_vector(vectors), OneEuroTurn(1.5, 3.0)
    out = np.stack([smooth(value, FRAME_S) for value in turns])
    squares = out @ out.swapaxes(-1, -2)
    np.testing.assert_allclose(squares, np.broadcast_to(np.eye(3), squares.shape), atol=1e-9)
    middle = matrix_from_rotation_vector(np.array([2.5, 1.0, 0.0]))
    assert abs(out[40:] - middle).mean() < 0.6 * abs(turns[40:] - middle).mean()


@pytest.mark.parametrize("mirrored", [False, True])
def test_an_object_at_rest_in_the_hand_stays_where_it_is(mirrored: bool) -> None:
    """Whatever the wrist does, since it is steadied relative to it."""
    smoother = Smoother()
    for number in range(5):
        wrist = np.array([0.02 * number, 0.0, 0.6])
        center = wrist + np.array([0.03, 0.01, 0.0])
        raw = RawObject(
            np.array([0.1, 0.2, 0.3]), np.array([0.01, 0, 0]), np.zeros((2, 6)), center, mirrored
        )
        smoother.at(number * FRAME_S)
        steady = smoother.held(raw, wrist)
        np.testing.assert_allclose(steady.translation, raw.translation, atol=1e-12)
        np.testing.assert_allclose(steady.rotation, raw.rotation, atol=1e-12)
