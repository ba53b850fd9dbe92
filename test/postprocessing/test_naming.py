"""From misfits to names, and names over time."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.identity import UNKNOWN, Fit
from hoisdf_ros.postprocessing.naming import NameVotes, log_odds, name_it

GOOD = np.array([0.002, 0.002, 0.002, 0.006, 0.15, 0.3])
FAIR = np.array([0.006, 0.006, 0.005, 0.02, 0.3, 0.55])
BAD = np.array([0.02, 0.02, 0.02, 0.04, 0.9, 0.9])


def _fits(**cues: Array) -> dict[str, Fit]:
    return {name: Fit(values, np.eye(3), np.zeros(3)) for name, values in cues.items()}


def test_the_best_fit_is_named_and_the_next_is_runner_up() -> None:
    named = name_it(log_odds(_fits(can=FAIR, box=GOOD, drill=BAD)))
    assert named.object_id == "box"
    assert named.runner_up_id == "can"
    assert named.score > 0.9
    assert named.score + named.runner_up_score <= 1.0


def test_when_nothing_fits_it_is_unknown_and_the_best_is_runner_up() -> None:
    named = name_it(log_odds(_fits(can=BAD, box=0.99 * BAD)))
    assert named.object_id == UNKNOWN
    assert named.score > 0.9
    assert named.runner_up_id == "box"


def test_two_that_fit_alike_are_not_told_apart() -> None:
    named = name_it(log_odds(_fits(one=GOOD, two=GOOD, three=GOOD)))
    assert named.object_id == UNKNOWN
    assert named.runner_up_score == pytest.approx(1 / 3, abs=0.01)


def test_a_library_of_one_has_no_runner_up() -> None:
    named = name_it(log_odds(_fits(box=GOOD)))
    assert (named.object_id, named.runner_up_id, named.runner_up_score) == ("box", "", 0.0)


@pytest.mark.parametrize("missing", [[2], [5], [2, 5]])
def test_what_cannot_be_compared_speaks_for_nobody(missing: list[int]) -> None:
    cues = [values.copy() for values in (GOOD, FAIR)]
    for values in cues:
        values[missing] = np.nan
    named = name_it(log_odds(_fits(good=cues[0], fair=cues[1])))
    assert named.object_id == "good"
    assert 0.5 < named.score <= 1.0


def test_votes_outlive_a_wrong_frame_but_follow_a_change() -> None:
    right, wrong = log_odds(_fits(a=GOOD, b=FAIR)), log_odds(_fits(a=FAIR, b=GOOD))
    votes = NameVotes()
    assert votes.named() is None
    for _ in range(10):
        votes = votes.plus(right)
    votes = votes.plus(wrong)
    named = votes.named()
    assert named is not None
    assert named.object_id == "a"
    for _ in range(20):
        votes = votes.plus(wrong)
    changed = votes.named()
    assert changed is not None
    assert changed.object_id == "b"


def test_frames_that_agree_are_surer_than_one_but_not_without_end() -> None:
    odds = {"a": -1.0, "b": -2.0, UNKNOWN: -3.0}
    scores = []
    votes = NameVotes()
    for _ in range(60):
        votes = votes.plus(odds)
        named = votes.named()
        assert named is not None
        scores.append(named.score)
    assert scores[0] == pytest.approx(name_it(odds).score)
    assert scores[2] > scores[0]
    assert scores[-1] == pytest.approx(scores[5], abs=1e-9)
