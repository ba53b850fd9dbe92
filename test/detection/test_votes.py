"""A hand's side by what was seen over time."""

import math

import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.detection.votes import Votes


def after(*scores: float, presence: float = 1.0) -> Votes:
    votes = Votes()
    for score in scores:
        votes = votes.plus(score, presence)
    return votes


def test_no_side_is_named_before_the_first_vote() -> None:
    assert Votes().side is Side.UNKNOWN
    assert Votes().score == 0.0
    assert after(0.9, presence=0.0).side is Side.UNKNOWN


@pytest.mark.parametrize(("score", "side"), [(0.9, Side.RIGHT), (0.2, Side.LEFT)])
def test_one_vote_names_a_side(score: float, side: Side) -> None:
    votes = after(score)
    assert votes.side is side
    assert votes.score == pytest.approx(max(score, 1 - score))


def test_a_few_wrong_votes_change_nothing() -> None:
    votes = after(*[0.95] * 10, 0.0, 0.0, 0.0)
    assert votes.side is Side.RIGHT
    assert 0.5 < votes.score < 0.95


def test_many_wrong_votes_change_the_side() -> None:
    assert after(*[0.95] * 30, *[0.02] * 60).side is Side.LEFT


def test_undecided_votes_do_not_make_the_side_flicker() -> None:
    sides = {after(0.9, *[0.42, 0.5] * count).side for count in range(1, 60)}
    assert sides == {Side.RIGHT}


def test_votes_without_a_hand_count_little() -> None:
    assert after(0.9).plus(0.0, presence=0.05).score > 0.85


def test_left_and_right_are_treated_alike() -> None:
    scores = (0.9, 0.6, 0.8, 0.3, 0.7)
    right, left = after(*scores), after(*(1 - score for score in scores))
    assert (right.side, left.side) == (Side.RIGHT, Side.LEFT)
    assert math.isclose(right.score, left.score)
