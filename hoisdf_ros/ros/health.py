"""What the node remembers about its own running, for `diagnostics`. Thread-safe."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hoisdf_ros.datatypes import Estimate, EstimatorInfo
from hoisdf_ros.ros.frames import Problem

SUPERSEDED = "superseded by a newer image"
"""The one reason for a drop that is as it should be."""

RECENT_S = 3.0
"""How long a problem is spoken of."""

_LOG_PERIOD_S = 5.0
_WINDOW = 150


@dataclass(frozen=True)
class Processed:
    """One image that was estimated and published.

    Args:
        estimate: What was found.
        size: Width and height of the image, pixels.
        frame_id: The image's frame.
        had_depth: Whether usable depth came with it.
        had_detections: Whether a detections message came with it.
        depth_problem: What was wrong with the depth that came with it; empty when none came.
        depth_offset_ms: Difference of stamps of the image and the nearest depth, paired or not;
            infinite when there was none.
        latency_ms: From the image's stamp to publishing.
        own_ms: Time spent in the worker outside the estimator, publishing included.
    """

    estimate: Estimate
    size: tuple[int, int]
    frame_id: str
    had_depth: bool
    had_detections: bool
    depth_problem: str
    depth_offset_ms: float
    latency_ms: float
    own_ms: float


@dataclass
class Snapshot:
    """A consistent copy of everything remembered.

    Args:
        now: When it was taken, steady seconds.
        description: What runs, or None while nothing is loaded.
        model_problem: Why nothing is loaded, or what is being waited for.
        received: Images that arrived, since the start.
        image_age_s: Seconds since the last image arrived; infinite before the first.
        image_rate: Images that arrived per second.
        processed: Images estimated and published, since the start.
        with_depth, with_detections: How many of them had these.
        drops: Counts by reason, since the start.
        problem: The latest problem of the last `RECENT_S`, if any.
        recent: The last images processed, oldest first.
        rate: Images processed per second.
        processed_age_s: Seconds since the last image was processed.
    """

    now: float
    description: EstimatorInfo | None = None
    model_problem: str = "nothing is loaded"
    received: int = 0
    image_age_s: float = float("inf")
    image_rate: float = 0.0
    processed: int = 0
    with_depth: int = 0
    with_detections: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    problem: Problem | None = None
    recent: tuple[Processed, ...] = ()
    rate: float = 0.0
    processed_age_s: float = float("inf")


class Health:
    """Counts, times and reasons.

    Args:
        clock: Steady seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._description: EstimatorInfo | None = None
        self._model_problem = "nothing is loaded"
        self._arrivals: deque[float] = deque(maxlen=_WINDOW)
        self._finished: deque[tuple[float, Processed]] = deque(maxlen=_WINDOW)
        self._counts: Counter[str] = Counter()
        self._drops: Counter[str] = Counter()
        self._problem: tuple[float, Problem] | None = None
        self._logged: dict[str, float] = {}

    def model(self, description: EstimatorInfo | None, problem: str = "") -> None:
        """Remember what runs, or why nothing does."""
        with self._lock:
            self._description, self._model_problem = description, problem

    def image_arrived(self) -> None:
        """Count an image message."""
        with self._lock:
            self._counts["received"] += 1
            self._arrivals.append(self._clock())

    def superseded(self, count: int) -> None:
        """Count images given up for newer ones."""
        with self._lock:
            if count:
                self._drops[SUPERSEDED] += count

    def dropped(self, problem: Problem) -> bool:
        """Count something that was dropped.

        Returns:
            Whether it is time to log it; each reason is logged every 5 s at most.
        """
        with self._lock:
            now = self._clock()
            self._drops[problem.reason] += 1
            self._problem = (now, problem)
            due = now - self._logged.get(problem.reason, -_LOG_PERIOD_S) >= _LOG_PERIOD_S
            if due:
                self._logged[problem.reason] = now
            return due

    def processed(self, result: Processed) -> None:
        """Remember an image that was published."""
        with self._lock:
            self._counts["processed"] += 1
            self._counts["with_depth"] += result.had_depth
            self._counts["with_detections"] += result.had_detections
            self._finished.append((self._clock(), result))

    def snapshot(self) -> Snapshot:
        """Everything as it is now."""
        with self._lock:
            now = self._clock()
            finished = [moment for moment, _ in self._finished]
            problem = self._problem
            return Snapshot(
                now=now,
                description=self._description,
                model_problem=self._model_problem,
                received=self._counts["received"],
                image_age_s=now - self._arrivals[-1] if self._arrivals else float("inf"),
                image_rate=_rate(list(self._arrivals), now),
                processed=self._counts["processed"],
                with_depth=self._counts["with_depth"],
                with_detections=self._counts["with_detections"],
                drops=dict(self._drops),
                problem=problem[1] if problem and now - problem[0] < RECENT_S else None,
                recent=tuple(result for _, result in self._finished),
                rate=_rate(finished, now),
                processed_age_s=now - finished[-1] if finished else float("inf"),
            )


def percentiles(values: list[float]) -> tuple[float, float]:
    """The 50th and the 95th; NaN of nothing."""
    if not values:
        return float("nan"), float("nan")
    p50, p95 = np.percentile(values, [50, 95]).tolist()
    return p50, p95


def _rate(moments: list[float], now: float) -> float:
    """Events per second over those of the last `RECENT_S`."""
    recent = [moment for moment in moments if now - moment < RECENT_S]
    span = recent[-1] - recent[0] if recent else 0.0
    return (len(recent) - 1) / span if span > 0 else 0.0
