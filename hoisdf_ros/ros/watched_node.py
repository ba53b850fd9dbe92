"""The node with a clock in its hand: what each image cost, and where."""

import time
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig, NodeConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Estimate, EstimatorInfo, Frame, Mesh
from hoisdf_ros.ros.core import EstimatorFactory, EstimatorLike
from hoisdf_ros.ros.health import Health, Processed
from hoisdf_ros.ros.node import HandObjectNode


def _numbers() -> "array[float]":
    return array("d")


@dataclass
class Record:
    """Times of a run; arrays grow by eight bytes an image, so that memory is not theirs.

    Args:
        arrivals: When image messages came, system seconds.
        stamps: Of the images that were estimated, seconds.
        core_ms: Time in the core.
        own_ms: Time in the worker around it: convert, build and publish messages.
        overhead_ms: From the image's arrival to the end of publishing, without the core.
        latency_ms: From the image's stamp to the end of publishing.
        overtaken: Images that were begun though two newer ones were there.
    """

    arrivals: "array[float]" = field(default_factory=_numbers)
    stamps: "array[float]" = field(default_factory=_numbers)
    core_ms: "array[float]" = field(default_factory=_numbers)
    own_ms: "array[float]" = field(default_factory=_numbers)
    overhead_ms: "array[float]" = field(default_factory=_numbers)
    latency_ms: "array[float]" = field(default_factory=_numbers)
    overtaken: int = 0


class TimedCore:
    """Another core with its times recorded, and a pause that stands for a network.

    Args:
        inner: Does the work.
        record: Where times go.
        pause_s: Slept in every call; like a GPU at work, it leaves Python to others.
    """

    def __init__(self, inner: EstimatorLike, record: Record, pause_s: float) -> None:
        self._inner = inner
        self._record = record
        self._pause_s = pause_s

    def __call__(self, frame: Frame) -> Estimate:
        """The inner core's answer."""
        start, record = time.perf_counter(), self._record
        record.overtaken += len(record.arrivals) - bisect_right(record.arrivals, frame.stamp) > 2
        if self._pause_s:
            time.sleep(self._pause_s)
        estimate = self._inner(frame)
        record.stamps.append(frame.stamp)
        record.core_ms.append(1e3 * (time.perf_counter() - start))
        return estimate

    def faces(self, side: Side) -> NDArray[np.integer]:
        """(1538, 3) triangles of one side's hand."""
        return self._inner.faces(side)

    def object_mesh(self, object_id: str) -> Mesh:
        """The mesh of an object."""
        return self._inner.object_mesh(object_id)

    def describe(self) -> EstimatorInfo:
        """What runs."""
        return self._inner.describe()

    def update(self, config: EstimatorConfig) -> None:
        """Take over what may change at run time."""
        self._inner.update(config)

    def reset(self) -> None:
        """Forget all tracks."""
        self._inner.reset()


class WatchedHealth(Health):
    """Health that also keeps every image's times."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    def image_arrived(self) -> None:
        """Count an image message."""
        self._record.arrivals.append(time.time())
        super().image_arrived()

    def processed(self, result: Processed) -> None:
        """Remember an image that was published, just now."""
        now, record = time.time(), self._record
        # Stamped a moment before it was sent: the first to arrive after its stamp.
        arrival = record.arrivals[bisect_right(record.arrivals, record.stamps[-1])]
        record.own_ms.append(result.own_ms)
        record.latency_ms.append(result.latency_ms)
        record.overhead_ms.append(1e3 * (now - arrival) - record.core_ms[-1])
        super().processed(result)


class WatchedNode(HandObjectNode):
    """The node as it is, with its times recorded.

    Args:
        make_core: Builds the core.
        pause_s: See `TimedCore`.
        options: As for `HandObjectNode`.
    """

    def __init__(
        self, make_core: EstimatorFactory, pause_s: float = 0.0, **options: object
    ) -> None:
        self.record = Record()

        def make(config: NodeConfig) -> EstimatorLike:
            return TimedCore(make_core(config), self.record, pause_s)

        super().__init__(make, **options)
        self._health = self.health = WatchedHealth(self.record)
