"""What the node remembers about itself."""

from collections.abc import Callable

import pytest

from hoisdf_ros.datatypes import Estimate
from hoisdf_ros.ros.frames import Problem
from hoisdf_ros.ros.health import RECENT_S, SUPERSEDED, Health, Processed, percentiles

BLURRED = Problem("blurred", "the image is blurred")
DARK = Problem("dark", "the image is dark")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Callable[[], float]) -> Health:
    return Health(clock)


def processed(had_depth: bool = True) -> Processed:
    return Processed(Estimate(), (640, 480), "optical", had_depth, True, "", 1.0, 20.0, 2.0)


def test_nothing_has_happened_at_first(health: Health) -> None:
    found = health.snapshot()
    assert (found.received, found.processed, found.drops, found.recent) == (0, 0, {}, ())
    assert found.image_age_s == found.processed_age_s == float("inf")
    assert found.description is None


def test_images_are_counted_and_timed(health: Health, clock: Clock) -> None:
    for _ in range(31):
        clock.now += 0.1
        health.image_arrived()
    clock.now += 0.5
    found = health.snapshot()
    assert found.received == 31
    assert found.image_age_s == pytest.approx(0.5)
    assert found.image_rate == pytest.approx(10.0)


def test_an_old_rate_is_no_rate(health: Health, clock: Clock) -> None:
    for _ in range(10):
        clock.now += 0.1
        health.image_arrived()
    clock.now += RECENT_S + 1
    assert health.snapshot().image_rate == 0


def test_results_are_counted_by_what_came_with_the_image(health: Health) -> None:
    for had_depth in (True, False, True):
        health.processed(processed(had_depth))
    found = health.snapshot()
    assert (found.processed, found.with_depth, found.with_detections) == (3, 2, 3)
    assert [result.had_depth for result in found.recent] == [True, False, True]


def test_drops_are_counted_by_reason(health: Health) -> None:
    for problem in (BLURRED, DARK, BLURRED):
        health.dropped(problem)
    health.superseded(4)
    health.superseded(0)
    assert health.snapshot().drops == {"blurred": 2, "dark": 1, SUPERSEDED: 4}


def test_each_reason_is_logged_at_once_and_then_every_five_seconds(
    health: Health, clock: Clock
) -> None:
    assert health.dropped(BLURRED)
    assert health.dropped(DARK)
    clock.now += 4.9
    assert not health.dropped(BLURRED)
    clock.now += 0.2
    assert health.dropped(BLURRED)
    assert not health.dropped(BLURRED)


def test_the_latest_problem_is_spoken_of_for_a_while(health: Health, clock: Clock) -> None:
    health.dropped(BLURRED)
    health.dropped(DARK)
    clock.now += RECENT_S - 0.1
    assert health.snapshot().problem == DARK
    clock.now += 0.2
    assert health.snapshot().problem is None


def test_superseded_images_are_no_problem(health: Health) -> None:
    health.superseded(4)
    assert health.snapshot().problem is None


def test_percentiles_of_nothing_are_unknown() -> None:
    assert str(percentiles([])) == "(nan, nan)"
    assert percentiles([float(n) for n in range(101)]) == (50.0, 95.0)
