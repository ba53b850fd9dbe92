"""Which image comes next, and with what."""

from typing import Any

import pytest

from hoisdf_ros.ros.pairing import KEPT, PATIENCE_S, SILENCE_S, Pairing, Stream

MS = 1_000_000
SLOP = 15 * MS
FRAME = 33 * MS


def images(pairing: Pairing, *numbers: int, at: float = 0.0) -> None:
    for number in numbers:
        pairing.add_image(number * FRAME, f"image {number}", at)


def taken(pairing: Pairing, at: float = 0.0) -> Any:  # noqa: ANN401
    pair = pairing.take(at)
    return pair and (pair.image, pair.depth, pair.detections)


def test_the_newest_complete_image_wins_and_older_ones_are_counted() -> None:
    pairing = Pairing(SLOP)
    images(pairing, 1, 2, 3)
    for number in (1, 2, 3):
        pairing.depth.add(number * FRAME, f"depth {number}", 0.0)
        pairing.detections.add(number * FRAME, f"boxes {number}", 0.0)
    assert taken(pairing) == ("image 3", "depth 3", "boxes 3")
    assert taken(pairing) is None
    assert (pairing.superseded(), pairing.superseded()) == (2, 0)


def test_an_image_waits_for_depth_that_comes_a_little_later() -> None:
    pairing = Pairing(SLOP)
    pairing.depth.add(0, "depth 0", 0.0)
    images(pairing, 1)
    pairing.detections.add(FRAME, "boxes 1", 0.0)
    assert taken(pairing) is None
    pairing.depth.add(FRAME + 10 * MS, "depth 1", 0.004)
    assert taken(pairing, 0.004) == ("image 1", "depth 1", "boxes 1")


def test_the_closest_depth_within_the_slop_is_taken() -> None:
    pairing = Pairing(SLOP)
    for offset in (-20, -9, 4, 14):
        pairing.depth.add(FRAME + offset * MS, offset, 0.0)
    pairing.detections.add(FRAME, "boxes", 0.0)
    images(pairing, 1)
    pair = pairing.take(0.0)
    assert pair is not None
    assert (pair.depth, pair.depth_offset) == (4, 4 * MS)


def test_the_nearest_depth_beyond_the_slop_is_known_by_its_distance() -> None:
    pairing = Pairing(SLOP)
    images(pairing, 1)
    pair = pairing.take(PATIENCE_S)
    assert pair is not None
    assert pair.depth_offset is None
    pairing.depth.add(FRAME - 20 * MS, "depth", 0.0)
    images(pairing, 1)
    pair = pairing.take(PATIENCE_S)
    assert pair is not None
    assert (pair.depth, pair.depth_offset) == (None, 20 * MS)


@pytest.mark.parametrize(("offset", "pairs"), [(15, True), (16, False), (-15, True), (-16, False)])
def test_the_slop_is_a_limit(offset: int, pairs: bool) -> None:
    stream: Stream[str] = Stream()
    stream.add(FRAME + offset * MS, "x", 0.0)
    assert (stream.nearest(FRAME, SLOP) is not None) is pairs


def test_nothing_is_waited_for_that_never_came() -> None:
    pairing = Pairing(SLOP)
    images(pairing, 1)
    assert taken(pairing) == ("image 1", None, None)


def test_an_image_that_depth_has_passed_goes_without() -> None:
    pairing = Pairing(SLOP)
    images(pairing, 1)
    pairing.detections.add(FRAME, "boxes", 0.0)
    pairing.depth.add(0, "before", 0.0)
    assert taken(pairing) is None
    pairing.depth.add(FRAME + SLOP + MS, "after", 0.0)
    assert taken(pairing) == ("image 1", None, "boxes")


def test_a_topic_that_fell_silent_is_not_waited_for() -> None:
    pairing = Pairing(SLOP)
    pairing.depth.add(0, "last", 0.0)
    images(pairing, 40, at=SILENCE_S - 0.1)
    assert taken(pairing, SILENCE_S - 0.1) is None
    assert taken(pairing, SILENCE_S) == ("image 40", None, None)


def test_patience_ends() -> None:
    pairing = Pairing(SLOP)
    pairing.depth.add(0, "old", 0.0)
    images(pairing, 1)
    pairing.depth.add(MS, "still old", PATIENCE_S - 0.01)
    assert taken(pairing, PATIENCE_S - 0.01) is None
    assert taken(pairing, PATIENCE_S) == ("image 1", None, None)


def test_a_slow_detector_is_served_the_image_it_looked_at() -> None:
    pairing = Pairing(SLOP, wants_depth=False)
    pairing.detections.add(0, "boxes 0", 0.0)
    images(pairing, 3, 4, 5, 6, at=0.2)
    assert taken(pairing, 0.2) is None
    pairing.detections.add(3 * FRAME, "boxes 3", 0.21)
    assert taken(pairing, 0.21) == ("image 3", None, "boxes 3")
    assert taken(pairing, 0.21) is None
    pairing.detections.add(6 * FRAME, "boxes 6", 0.31)
    assert taken(pairing, 0.31) == ("image 6", None, "boxes 6")
    assert pairing.superseded() == 2


def test_without_depth_wanted_none_is_paired() -> None:
    pairing = Pairing(SLOP, wants_depth=False)
    pairing.depth.add(FRAME, "depth", 0.0)
    pairing.detections.add(FRAME, "boxes", 0.0)
    images(pairing, 1)
    assert taken(pairing) == ("image 1", None, "boxes")


def test_memory_is_bounded_and_what_is_pushed_out_is_counted() -> None:
    pairing = Pairing(SLOP)
    images(pairing, *range(KEPT + 5))
    assert taken(pairing) == (f"image {KEPT + 4}", None, None)
    assert pairing.superseded() == KEPT + 4


def test_a_recording_that_starts_over_is_followed() -> None:
    pairing = Pairing(SLOP)
    for stream in (pairing.depth, pairing.detections):
        stream.add(10_000 * FRAME, "first run", 0.0)
    images(pairing, 10_001)
    images(pairing, 1)
    pairing.depth.add(FRAME, "depth 1", 0.0)
    pairing.detections.add(FRAME, "boxes 1", 0.0)
    assert taken(pairing) == ("image 1", "depth 1", "boxes 1")
    assert pairing.superseded() == 1


def test_of_two_as_near_the_earlier_is_taken() -> None:
    stream: Stream[str] = Stream()
    for stamp, name in ((10 * MS, "before"), (20 * MS, "after")):
        stream.add(stamp, name, 0.0)
    assert stream.nearest(15 * MS, SLOP) == ("before", 5 * MS)


def test_the_nearest_is_found_whatever_the_order_of_arrival() -> None:
    stream: Stream[int] = Stream()
    stamps = [40, 10, 30, 20, 50]
    for stamp in stamps:
        stream.add(stamp * MS, stamp, 0.0)
    for wanted in range(60):
        found = stream.nearest(wanted * MS)
        assert found is not None
        assert found[1] == min(abs(stamp - wanted) for stamp in stamps) * MS
