"""Wall times that can be compared: in turns, so that a busy neighbour disturbs all alike."""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from hoisdf_ros.runtime.backend import Stopwatch

Task = Callable[[int], object]
"""Called with the number of the round."""


@dataclass(frozen=True)
class Timing:
    """Wall times of one thing.

    Args:
        milliseconds: One entry a run, in order.
    """

    milliseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.milliseconds)

    @property
    def p99(self) -> float:
        """Milliseconds; of few runs near the longest."""
        return float(np.percentile(self.milliseconds, 99))

    def numbers(self) -> dict[str, float]:
        """For a report: median, p99 and fastest, milliseconds."""
        values = {"median": self.median, "p99": self.p99, "min": min(self.milliseconds)}
        return {name: round(value, 3) for name, value in values.items()}


def in_turns(tasks: Mapping[str, Task], runs: int, device: str) -> dict[str, Timing]:
    """Run every task once a round, so that all meet the same machine.

    Args:
        tasks: By name; rounds are counted from zero, so that all of one can take the same input.
        runs: Rounds, after one that is not counted.
        device: Where they run; a GPU is waited for.
    """
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task(0)
    for turn in range(runs):
        for name, task in tasks.items():
            finish(device)
            watch = Stopwatch()
            task(turn)
            finish(device)
            taken[name].append(watch.lap())
    return {name: Timing(tuple(values)) for name, values in taken.items()}


def finish(device: str) -> None:
    """Wait for a GPU, which works behind the program's back."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
