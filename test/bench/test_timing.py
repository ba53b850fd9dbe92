"""In turns: every task as often as the others, with the same input in a round."""

import pytest

from hoisdf_ros.bench.memory import memory_mb
from hoisdf_ros.bench.timing import Timing, in_turns


def test_tasks_take_turns_after_a_round_that_is_not_counted() -> None:
    calls: list[tuple[str, int]] = []
    tasks = {name: lambda turn, name=name: calls.append((name, turn)) for name in ("a", "b")}
    taken = in_turns(tasks, 3, "cpu")
    assert calls[:2] == [("a", 0), ("b", 0)]
    assert calls[2:] == [(name, turn) for turn in range(3) for name in ("a", "b")]
    assert all(len(timing.milliseconds) == 3 for timing in taken.values())


def test_a_report_has_median_p99_and_fastest() -> None:
    numbers = Timing(tuple(float(ms) for ms in range(101))).numbers()
    assert numbers == {"median": 50.0, "p99": 99.0, "min": 0.0}


def test_memory_that_a_task_takes_is_seen() -> None:
    held: list[bytearray] = []
    found = memory_mb(lambda: held.append(bytearray(b"x") * 200_000_000), "cpu")
    if found["working"] is None:
        pytest.skip("this system does not tell how large a process was")
    assert 120 < found["working"] < 400  # memory freed meanwhile counts against it
