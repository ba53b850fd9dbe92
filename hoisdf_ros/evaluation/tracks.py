"""How well a hand is followed through a sequence: pure functions of one hand's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import inf

LOST_S = 0.3
"""A hand that was out of sight for longer may come back under another id."""


@dataclass(frozen=True)
class Sighting:
    """One hand in one frame.

    Args:
        stamp: Seconds.
        seen: Share of its outline that is seen; 0 when it is not in the image.
        counts: Whether so much is seen that it must be found.
        id: Of the estimate matched to it, or None.
        ids: Of all estimates of this frame.
    """

    stamp: float
    seen: float
    counts: bool
    id: int | None
    ids: frozenset[int] = frozenset()


def id_switches(history: Sequence[Sighting]) -> int:
    """How often the id of a hand changes from one estimate of it to the next.

    Frames without an estimate do not matter, however many, unless nothing of the hand could be
    seen for longer than `LOST_S` between them: then it may have another id.

    Args:
        history: Of one hand, in order of time.
    """
    switches, last, lost = 0, None, False
    last_seen = -inf
    for now in history:
        if now.seen > 0:
            lost = lost or now.stamp - last_seen > LOST_S
            last_seen = now.stamp
        if now.id is None:
            continue
        switches += last is not None and now.id != last and not lost
        last, lost = now.id, False
    return switches


def first_pose_times(history: Sequence[Sighting]) -> list[float | None]:
    """Seconds from each coming into view to the first estimate; None where there was none.

    A hand comes into view in the first frame in which it counts after one in which nothing of it
    was seen. One that counts from the first frame on, or was only half hidden, does not.

    Args:
        history: Of one hand, in order of time.
    """
    times: list[float | None] = []
    away, since = False, None
    for now in history:
        if now.seen <= 0:
            if since is not None:
                times.append(None)
            away, since = True, None
        elif away and now.counts:
            away, since = False, now.stamp
        if since is not None and now.id is not None:
            times.append(now.stamp - since)
            since = None
    return [*times, None] if since is not None else times


def loss_times(history: Sequence[Sighting]) -> list[float]:
    """Seconds for which the estimate of a hand goes on after the hand can no longer be seen.

    From the last frame in which anything of the hand was seen to the last one in a row in which
    an estimate still has the id that the hand had; 0 when it ends at once. A hand without an id
    has none to lose.

    Args:
        history: Of one hand, in order of time.
    """
    times, last = [], None
    for place, now in enumerate(history):
        if now.seen > 0:
            last = now.id if now.id is not None else last
            continue
        if last is None:
            continue
        kept = _kept_out_of_sight(history[place:], last)
        times.append(kept[-1].stamp - history[place - 1].stamp if kept else 0.0)
        last = None
    return times


def _kept_out_of_sight(history: Sequence[Sighting], id_: int) -> list[Sighting]:
    """The first frames of a history as long as nothing is seen and the id is still there."""
    return list(takewhile(lambda now: now.seen <= 0 and id_ in now.ids, history))
