"""Matching: the rule of the file, one clause after the other."""

from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.datatypes import Box
from hoisdf_ros.evaluation.detection import MATCH_IOU, iou, match

_SPEC = spec_from_file_location("sequence_fakes", Path(__file__).with_name("sequence_fakes.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fakes = module_from_spec(_SPEC)  # test folders are no packages
_SPEC.loader.exec_module(fakes)

CAMERA = fakes.CAMERA
LEFT, RIGHT = fakes.true_hand(0, fakes.LEFT_PLACE), fakes.true_hand(1, fakes.RIGHT_PLACE)


def test_iou_of_known_boxes() -> None:
    square = Box(10, 10, 20, 20)
    assert iou(square, square, CAMERA) == pytest.approx(1.0)
    assert iou(square, Box(15, 10, 25, 20), CAMERA) == pytest.approx(1 / 3)
    assert iou(square, Box(20, 10, 30, 20), CAMERA) == 0.0
    assert iou(square, Box(12, 12, 18, 18), CAMERA) == pytest.approx(0.36)


def test_what_lies_beyond_the_image_does_not_count() -> None:
    assert iou(Box(-100.5, 9.5, 9.5, 19.5), Box(-0.5, 9.5, 9.5, 19.5), CAMERA) == pytest.approx(1)
    assert iou(Box(-9, 0, -5, 5), Box(-9, 0, -5, 5), CAMERA) == 0.0


def test_each_estimate_goes_to_its_hand() -> None:
    found = [fakes.estimate_of(RIGHT, 5), fakes.estimate_of(LEFT, 6)]
    matches = match([LEFT, RIGHT], found, CAMERA)
    assert set(matches.pairs) == {(0, 1), (1, 0)}
    assert matches.missed == matches.false_alarms == ()


def test_overlapping_hands_are_told_apart_by_their_wrists() -> None:
    near, far = (
        fakes.true_hand(0, np.array([0.0, 0.0, 0.5])),
        fakes.true_hand(1, np.array([0.0, 0.0, 0.9])),
    )
    far = replace(far, box=near.box)
    found = [fakes.estimate_of(far, 1, 0.02), fakes.estimate_of(near, 2, -0.02)]
    assert set(match([near, far], found, CAMERA).pairs) == {(0, 1), (1, 0)}


def test_more_pairs_are_better_than_closer_ones() -> None:
    """The second estimate fits the first hand only, though the first is nearer to it."""
    shifted = np.array([0.04, 0.0, 0.6])
    one, other = fakes.true_hand(0, np.array([0.0, 0.0, 0.6])), fakes.true_hand(1, shifted)
    middle = fakes.estimate_of(one, 1)
    aside = replace(fakes.estimate_of(one, 2, 0.5), roi=fakes.box_at(np.array([-0.04, 0.0, 0.6])))
    assert iou(other.box, aside.roi, CAMERA) < MATCH_IOU < iou(one.box, aside.roi, CAMERA)
    assert set(match([one, other], [middle, aside], CAMERA).pairs) == {(0, 1), (1, 0)}


def test_a_hand_without_an_estimate_is_missed_if_enough_is_seen() -> None:
    hidden = fakes.true_hand(1, fakes.RIGHT_PLACE, visible=0.1)
    matches = match([LEFT, hidden], [], CAMERA)
    assert matches.missed == (0,)
    assert matches.pairs == ()


def test_an_estimate_of_nothing_is_a_false_alarm() -> None:
    matches = match([LEFT], [fakes.estimate_of(LEFT, 1), fakes.estimate_of(RIGHT, 2)], CAMERA)
    assert matches.false_alarms == (1,)
    assert match([], [fakes.estimate_of(LEFT, 1)], CAMERA).false_alarms == (0,)


def test_a_second_estimate_of_a_hand_is_a_false_alarm() -> None:
    matches = match([LEFT], [fakes.estimate_of(LEFT, 1, 0.1), fakes.estimate_of(LEFT, 2)], CAMERA)
    assert matches.pairs == ((0, 1),)
    assert matches.false_alarms == (0,)


def test_what_is_hardly_seen_may_be_found_or_not() -> None:
    hidden = fakes.true_hand(0, fakes.LEFT_PLACE, visible=0.1)
    aside = replace(
        fakes.estimate_of(hidden, 1),
        roi=fakes.box_at(fakes.LEFT_PLACE + np.array([0.07, 0.0, 0.0])),
    )
    assert 0.1 < iou(hidden.box, aside.roi, CAMERA) < MATCH_IOU
    assert match([hidden], [aside], CAMERA).false_alarms == ()
    assert match([LEFT], [aside], CAMERA).false_alarms == (0,)


def test_an_estimate_without_a_wrist_says_nothing() -> None:
    matches = match([LEFT], [fakes.estimate_of(LEFT, 1, np.nan)], CAMERA)
    assert matches.pairs == ()
    assert matches.false_alarms == ()
    assert matches.missed == (0,)
