"""Histories of one hand whose switches, delays and afterlives can be counted by hand."""

from collections.abc import Sequence

import pytest

from hoisdf_ros.evaluation.tracks import Sighting, first_pose_times, id_switches, loss_times

SEEN, GONE = 1.0, 0.0


def history(*frames: tuple[float, int | None], step: float = 0.1) -> list[Sighting]:
    """From (share seen, id of the estimate), so many seconds apart; an id is also in ``ids``."""
    return [
        Sighting(k * step, seen, seen >= 0.3, id_, frozenset(() if id_ is None else (id_,)))
        for k, (seen, id_) in enumerate(frames)
    ]


@pytest.mark.parametrize(
    ("ids", "switches"),
    [
        ((1, 1, 1), 0),
        ((1, 2, 2), 1),
        ((1, 2, 1), 2),
        ((1, None, 1), 0),
        ((1, None, 2), 1),
        ((None, 3, None), 0),
        ((), 0),
    ],
)
def test_switches_in_full_view(ids: Sequence[int | None], switches: int) -> None:
    assert id_switches(history(*((SEEN, id_) for id_ in ids))) == switches


@pytest.mark.parametrize(("frames_away", "switches"), [(1, 1), (3, 0), (9, 0)])
def test_after_long_absence_a_hand_may_have_another_id(frames_away: int, switches: int) -> None:
    away = [(GONE, None)] * frames_away
    assert id_switches(history((SEEN, 1), *away, (SEEN, None), (SEEN, 2))) == switches


def test_one_absence_excuses_one_change() -> None:
    away = [(GONE, None)] * 5
    assert id_switches(history((SEEN, 1), *away, (SEEN, 2), (SEEN, 3))) == 1


def test_time_to_the_first_pose() -> None:
    entering = history((GONE, None), (0.1, None), (SEEN, None), (SEEN, None), (SEEN, 4), (SEEN, 4))
    assert first_pose_times(entering) == pytest.approx([0.2])


def test_found_before_it_counts_is_found_at_once() -> None:
    assert first_pose_times(history((GONE, None), (0.1, 4), (SEEN, 4))) == pytest.approx([0.0])


def test_never_found_is_said() -> None:
    twice = history((GONE, None), (SEEN, None), (GONE, None), (SEEN, None), (SEEN, 7))
    assert first_pose_times(twice) == [None, pytest.approx(0.1)]
    assert first_pose_times(history((GONE, None), (SEEN, None))) == [None]


def test_in_view_from_the_start_is_no_coming() -> None:
    assert first_pose_times(history((SEEN, None), (0.1, None), (SEEN, 1))) == []


def test_estimates_that_outlive_the_hand() -> None:
    def after(*ids: frozenset[int]) -> list[Sighting]:
        gone = [Sighting(1 + k / 10, 0.0, False, None, found) for k, found in enumerate(ids, 1)]
        return [Sighting(1.0, 1.0, True, 5, frozenset({5})), *gone]

    still, nothing, other = frozenset({5}), frozenset[int](), frozenset({6})
    assert loss_times(after(still, still, nothing, still)) == pytest.approx([0.2])
    assert loss_times(after(nothing, nothing)) == [0.0]
    assert loss_times(after(other)) == [0.0]
    assert loss_times(after()) == []


def test_each_leaving_counts_once() -> None:
    twice = history((SEEN, 1), (GONE, None), (SEEN, None), (GONE, None), (SEEN, 2), (GONE, None))
    assert loss_times(twice) == [0.0, 0.0]
    assert loss_times(history((SEEN, None), (GONE, None))) == []
