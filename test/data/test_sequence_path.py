"""Paths: through their places, without a jerk, still where they should be."""

import numpy as np
import pytest

from hoisdf_ros.data.sequence_path import Path, Sway, between, draw_sway, still

TIMES = np.array([1.0, 2.0, 4.0])
PLACES = np.array([[0.0, 0.0, 0.5], [0.1, 0.0, 0.5], [0.1, 0.2, 0.7]])


def test_places_are_reached_and_kept() -> None:
    for time, place in ((0.0, 0), (1.0, 0), (2.0, 1), (4.0, 2), (9.0, 2)):
        np.testing.assert_allclose(between(TIMES, PLACES, time), PLACES[place], atol=1e-12)
    np.testing.assert_allclose(between(TIMES, PLACES, 1.5), (PLACES[0] + PLACES[1]) / 2)


def test_it_starts_and_stops_without_a_jerk() -> None:
    steps = np.diff([between(TIMES, PLACES, 0.01 * k) for k in range(500)], axis=0)
    speed = np.linalg.norm(steps, axis=1) / 0.01
    assert speed.max() == pytest.approx(15 / 8 * np.sqrt(0.08) / 2, rel=0.01)
    assert np.abs(np.diff(speed)).max() < 0.02


def test_angles_turn_about_the_axis() -> None:
    path = Path(np.eye(3), TIMES, PLACES, np.array([0.0, np.pi / 2, 0.0]), np.array([0, 0, 1.0]))
    np.testing.assert_allclose(path.at(2.0)[0] @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(path.at(5.0)[0], np.eye(3), atol=1e-12)


def test_swaying_stays_within_its_reach() -> None:
    sway = draw_sway(np.random.default_rng(0))
    path = Path(np.eye(3), TIMES, PLACES, np.zeros(3), sway=sway)
    off = [path.at(k / 10)[1] - between(TIMES, PLACES, k / 10) for k in range(90)]
    lengths = np.linalg.norm(off, axis=1)
    assert 0.005 < lengths.max() <= sway.reach


def test_still_is_still() -> None:
    path = still(np.eye(3), PLACES[1])
    for time in (-1.0, 0.0, 3.0):
        rotation, place = path.at(time)
        np.testing.assert_array_equal(place, PLACES[1])
        np.testing.assert_allclose(rotation, np.eye(3), atol=1e-15)
    assert Sway().reach == 0.0
