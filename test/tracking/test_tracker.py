"""Ids that stay while a hand is seen, and hands that are lost in time."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, Root
from hoisdf_ros.detection.votes import Votes
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.tracking.sighting import Sighting
from hoisdf_ros.tracking.track import APART_M, WRISTS_APART_M, Track, same_hand
from hoisdf_ros.tracking.tracker import Outcome, Tracker

SPREAD = np.array(
    [[0, 0, 0], *([0.02 * (f - 2), -0.03 * (s + 2), 0] for f in range(5) for s in range(4))]
)
"""(21, 3) joints of a spread hand, fingers up, metres from the wrist."""

HERE, THERE = np.array([0.0, 0.0, 0.6]), np.array([0.4, 0.0, 0.6])
BOX = Box(100, 100, 200, 200)


def _sighting(track: Track | None = None, side: Side = Side.RIGHT) -> Sighting:
    region = HandRegion(side, 1.0, Detection("right_hand", BOX, 0.9), None)
    return Sighting(region, Votes().plus(1.0), track=track)


def _outcome(stamp: float, wrist: Array, source: RootSource = RootSource.DEPTH) -> Outcome:
    return Outcome(stamp, Root(wrist, 1e-4 * np.eye(3), source), SPREAD, BOX, None)


def _seen(tracker: Tracker, stamp: float, wrist: Array, track: Track | None = None) -> Track:
    return tracker.keep(_sighting(track), _outcome(stamp, wrist))


def test_a_hand_that_goes_on_keeps_its_id_and_another_gets_its_own() -> None:
    tracker = Tracker(0.3)
    first, second = _seen(tracker, 0.0, HERE), _seen(tracker, 0.0, THERE)
    assert [first.id, second.id] == [0, 1]
    assert _seen(tracker, 0.1, THERE + 0.02, second).id == 1
    assert _seen(tracker, 0.1, HERE + 0.02, first).id == 0
    assert len(tracker.tracks) == 2


def test_a_jump_is_another_hand() -> None:
    tracker = Tracker(0.3)
    first = _seen(tracker, 0.0, HERE)
    jumped = _seen(tracker, 0.1, THERE, first)
    assert jumped.id == 1
    assert not jumped.velocity.any()
    assert tracker.tracks == [jumped]


def test_a_hand_is_lost_when_its_wrist_was_not_measured_for_too_long() -> None:
    tracker = Tracker(0.3)
    track = _seen(tracker, 0.0, HERE)
    for stamp in (0.1, 0.2, 0.3):
        tracker.forget(stamp)
        assert tracker.tracks == [track]
        track = tracker.keep(_sighting(track), _outcome(stamp, HERE, RootSource.TRACK))
    tracker.forget(0.4)
    assert tracker.tracks == []
    assert _seen(tracker, 0.4, HERE).id == 1


def test_time_that_starts_again_and_reset_forget_everything() -> None:
    tracker = Tracker(0.3)
    _seen(tracker, 100.0, HERE)
    tracker.forget(0.0)
    assert tracker.tracks == []
    assert _seen(tracker, 0.0, HERE).id == 1
    tracker.reset()
    assert tracker.tracks == []
    assert _seen(tracker, 0.1, HERE).id == 2


def test_what_steadies_a_hand_stays_with_it_and_not_with_its_other_side() -> None:
    tracker = Tracker(0.3)
    track = _seen(tracker, 0.0, HERE)
    same = _seen(tracker, 0.1, HERE, track)
    assert same.smoother is track.smoother
    other = tracker.keep(_sighting(same, Side.LEFT), _outcome(0.2, HERE))
    assert other.id == track.id
    assert other.smoother is not track.smoother


def test_a_hand_that_moves_is_expected_further_on_and_less_surely() -> None:
    tracker = Tracker(0.3)
    track = _seen(tracker, 0.0, HERE)
    for number in range(1, 11):
        step = number * np.array([0.01, 0.0, 0.0])
        track = _seen(tracker, number / 30, HERE + step, track)
    np.testing.assert_allclose(track.velocity, [0.3, 0, 0], atol=1e-3)
    soon, later = track.predicted(11 / 30), track.predicted(20 / 30)
    assert soon.position[0] == pytest.approx(0.11, abs=0.002)
    assert soon.source is RootSource.TRACK
    assert np.trace(track.root.covariance) < np.trace(soon.covariance) < np.trace(later.covariance)
    assert later.position[0] < 0.1 + 0.3 * 0.15  # it does not go on for ever


def test_one_hand_twice_is_told_from_two_hands() -> None:
    hand = HERE + SPREAD
    assert same_hand(hand, hand + 0.9 * APART_M / np.sqrt(3))
    assert not same_hand(hand, hand + np.array([0.07, 0.0, 0.0]))
    mirrored = hand * np.array([-1.0, 1.0, 1.0]) + np.array([2 * hand[0, 0], 0.0, 0.0])
    assert np.linalg.norm(mirrored - hand, axis=1).mean() > APART_M
    assert same_hand(hand, mirrored + 0.9 * np.array([WRISTS_APART_M, 0.0, 0.0]))
    assert not same_hand(hand, mirrored + 1.1 * np.array([WRISTS_APART_M, 0.0, 0.0]))


def test_dropping_forgets_one() -> None:
    tracker = Tracker(0.3)
    first, second = _seen(tracker, 0.0, HERE), _seen(tracker, 0.0, THERE)
    tracker.drop(first)
    tracker.drop(None)
    assert tracker.tracks == [second]


def test_the_expected_box_goes_with_the_wrist_or_with_the_landmarks() -> None:
    camera = Camera(600, 600, 320, 240, 640, 480)
    tracker = Tracker(0.3)
    track = _seen(tracker, 0.0, HERE)
    track = _seen(tracker, 0.1, HERE + np.array([0.01, 0, 0]), track)
    shift = track.expected_box(camera, 0.2).array() - BOX.array()
    assert shift[0] == shift[2] > 0
    assert shift[1] == shift[3] == 0
    region = track.expected_region(camera, 0.2)
    assert region is not None
    assert replace(track, joints=None).expected_region(camera, 0.2) is None
    assert track.box_at(region) is None  # the landmark network did not see it before
    followed = replace(track, region=replace(region, x=region.x - 30, y=region.y + 20))
    expected = BOX.array() + np.array([30, -20, 30, -20])
    box = followed.box_at(region)
    assert box is not None
    np.testing.assert_allclose(box.array(), expected)
