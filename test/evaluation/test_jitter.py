"""Trembling of known size, drifts that are none, and rest that is found."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array
from hoisdf_ros.evaluation.jitter import jitter, rest_runs, trembling

STAMPS = np.arange(90) / 30


def moving(speed: float) -> Array:
    """(90, 21, 3) joints that move along x, metres a second."""
    joints = np.zeros((90, 21, 3))
    joints[..., 0] = speed * STAMPS[:, None]
    return joints


def test_noise_of_known_size() -> None:
    noise = np.random.default_rng(0).normal(scale=0.001, size=(90, 21, 3))
    found = jitter([trembling(STAMPS, noise + np.array([0.05, 0.0, -0.02]))])
    # three axes of 1 mm; the mean over about 16 frames takes a little away
    assert found == pytest.approx(0.001 * np.sqrt(3), rel=0.06)


def test_every_other_frame_up_and_down() -> None:
    errors = np.zeros((90, 21, 3))
    errors[::2, :, 1], errors[1::2, :, 1] = 0.002, -0.002
    inner = trembling(STAMPS, errors)[15:-15]
    assert inner == pytest.approx(0.002, rel=0.1)


def test_offsets_and_slow_drifts_are_none() -> None:
    assert jitter([trembling(STAMPS, np.full((90, 21, 3), 0.03))]) == pytest.approx(0.0, abs=1e-12)
    inner = trembling(STAMPS, moving(0.01))[15:-15]
    assert inner == pytest.approx(0.0, abs=1e-12)


def test_missing_estimates_are_left_out() -> None:
    errors = np.full((90, 21, 3), 0.01)
    errors[::3] = np.nan
    left = trembling(STAMPS, errors)
    assert np.isnan(left[::3]).all()
    assert jitter([left]) == pytest.approx(0.0, abs=1e-12)
    assert jitter([np.full((9, 21), np.nan)]) is None
    assert jitter([]) is None


def test_rest_is_found_between_movements() -> None:
    joints = moving(0.2)
    joints[20:60] = joints[20]
    assert rest_runs(STAMPS, joints) == [slice(20, 60)]
    assert rest_runs(STAMPS, moving(0.001)) == [slice(0, 90)]


def test_one_finger_that_moves_is_no_rest() -> None:
    joints = np.zeros((90, 21, 3))
    joints[:, 8, 2] = 0.02 * STAMPS
    assert rest_runs(STAMPS, joints) == []


def test_short_stops_say_nothing() -> None:
    joints = moving(0.2)
    joints[20:30] = joints[20]
    assert rest_runs(STAMPS, joints) == []
