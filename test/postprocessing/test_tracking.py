"""Ids that stay while a hand is seen."""

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.postprocessing.tracking import Tracker

HERE, THERE = np.array([0.0, 0.0, 0.6]), np.array([0.4, 0.0, 0.6])


def _seen(tracker: Tracker, stamp: float, *positions: "np.typing.NDArray[np.float64]") -> list[int]:
    tracker.forget(stamp)
    return [tracker.identify(Side.RIGHT, position, stamp) for position in positions]


def test_a_moving_hand_keeps_its_id_and_two_hands_keep_theirs() -> None:
    tracker = Tracker(0.3)
    assert _seen(tracker, 0.0, HERE, THERE) == [0, 1]
    assert _seen(tracker, 0.1, THERE + 0.02, HERE + 0.02) == [1, 0]


def test_the_other_side_is_another_hand() -> None:
    tracker = Tracker(0.3)
    assert _seen(tracker, 0.0, HERE) == [0]
    assert tracker.identify(Side.LEFT, HERE, 0.1) == 1


def test_a_hand_unseen_for_too_long_comes_back_as_another() -> None:
    tracker = Tracker(0.3)
    _seen(tracker, 0.0, HERE)
    assert _seen(tracker, 0.3, HERE) == [0]
    assert _seen(tracker, 0.7, HERE) == [1]


def test_a_jump_is_another_hand() -> None:
    tracker = Tracker(0.3)
    _seen(tracker, 0.0, HERE)
    assert _seen(tracker, 0.1, THERE) == [1]


def test_time_that_starts_again_and_reset_forget_everything() -> None:
    tracker = Tracker(0.3)
    _seen(tracker, 100.0, HERE)
    assert _seen(tracker, 0.0, HERE) == [1]
    tracker.reset()
    assert _seen(tracker, 0.1, HERE) == [2]
