"""The worker: one at a time, newest first, and it survives what it runs."""

import threading
import time

import pytest

from hoisdf_ros.ros.pairing import Paired, Pairing
from hoisdf_ros.ros.worker import Worker


class Station:
    """Processes slowly enough for images to queue up: each waits for `let_through`."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.failures: list[Exception] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.worker = Worker(Pairing(0), self.process, self.failures.append)
        self.worker.start()

    def process(self, paired: Paired) -> None:
        self.seen.append(paired.stamp)
        self.entered.release()
        assert self.gate.acquire(timeout=10)
        if paired.stamp < 0:
            raise ValueError(paired.stamp)

    def send(self, stamp: int) -> None:
        self.worker.offer(lambda pairing: pairing.add_image(stamp, None, time.monotonic()))

    def wait_until_busy(self) -> None:
        assert self.entered.acquire(timeout=10)

    def let_through(self, count: int = 1) -> None:
        self.gate.release(count)


@pytest.fixture
def station() -> Station:
    return Station()


def test_while_one_is_processed_the_newest_of_the_others_wins(station: Station) -> None:
    station.send(1)
    station.wait_until_busy()
    for stamp in (2, 3, 4):
        station.send(stamp)
    station.let_through()
    station.wait_until_busy()
    station.let_through()
    assert station.worker.stop()
    assert station.seen == [1, 4]
    assert station.worker.superseded() == 2


def test_a_failure_is_reported_and_the_next_image_processed(station: Station) -> None:
    station.let_through(2)
    station.send(-1)
    station.wait_until_busy()
    station.send(5)
    station.wait_until_busy()
    assert station.worker.stop()
    assert [str(error) for error in station.failures] == ["-1"]
    assert station.seen == [-1, 5]


def test_stopping_finishes_the_image_at_hand_and_no_other(station: Station) -> None:
    station.send(1)
    station.wait_until_busy()
    station.send(2)
    assert not station.worker.stop(timeout_s=0.05)
    station.let_through(2)
    assert station.worker.stop()
    assert station.seen == [1]


def test_a_rate_limit_spaces_the_images(station: Station) -> None:
    station.worker.min_period_s = 30.0
    station.let_through(2)
    station.send(1)
    station.wait_until_busy()
    station.send(2)
    assert not station.entered.acquire(timeout=0.2)
    assert station.worker.stop()
    assert station.seen == [1]


def test_a_worker_that_never_started_can_be_stopped() -> None:
    assert Worker(Pairing(0), lambda _: None, lambda _: None).stop()


def test_depth_before_its_image_wakes_nobody_and_is_there_when_it_comes() -> None:
    seen: list[Paired] = []
    done = threading.Event()
    pairing = Pairing(0)
    looked_for: list[float] = []
    take = pairing.take

    def watched(now: float) -> Paired | None:
        looked_for.append(now)
        return take(now)

    pairing.take = watched  # type: ignore[method-assign]

    def process(paired: Paired) -> None:
        seen.append(paired)
        done.set()

    worker = Worker(pairing, process, lambda _: None)
    worker.start()
    time.sleep(0.1)
    before = len(looked_for)
    for stamp in range(5):
        worker.offer(lambda p, stamp=stamp: p.depth.add(stamp, f"depth {stamp}", 0.0))  # type: ignore[misc]
    time.sleep(0.1)
    assert len(looked_for) == before <= 1
    worker.offer(lambda p: p.detections.add(4, "boxes", 0.0))
    worker.offer(lambda p: p.add_image(4, "image", time.monotonic()))
    assert done.wait(10)
    assert worker.stop()
    assert [(paired.depth, paired.detections) for paired in seen] == [("depth 4", "boxes")]
