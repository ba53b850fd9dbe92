"""Which depth and which detections belong to which image, and which image comes next.

Pure bookkeeping: stamps in, a decision out. The newest image that is complete wins; an image
waits for its partners only while they can still come. A slow detector is thus served the
image it looked at, and a missing one holds nothing up.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from sensor_msgs.msg import CompressedImage, Image
from vision_msgs.msg import Detection2DArray

T = TypeVar("T")

KEPT = 32
"""Messages kept per topic: a second of a 30 Hz camera."""

PATIENCE_S = 0.5
"""Longest wait of an image for its partners; a detector slower than this finds it gone."""

SILENCE_S = 1.0
"""A topic that has been quiet for so long is not waited for."""

_TIME_JUMP_NS = 1_000_000_000  # stamps that go back by more: a bag started over


class Stream(Generic[T]):
    """The latest messages of one topic, by stamp."""

    def __init__(self) -> None:
        self._items: deque[tuple[int, float, T]] = deque(maxlen=KEPT)

    def add(self, stamp: int, item: T, now: float) -> None:
        """Keep a message.

        Args:
            stamp: Acquisition time, nanoseconds.
            item: The message.
            now: When it arrived, seconds of any steady clock.
        """
        if self._items and stamp < self._items[-1][0] - _TIME_JUMP_NS:
            self._items.clear()
        self._items.append((stamp, now, item))

    def nearest(self, stamp: int, slop: float = math.inf) -> tuple[T, int] | None:
        """The message closest to ``stamp`` and their distance, if at most ``slop`` nanoseconds."""
        found: tuple[T, int] | None = None
        least = slop
        for kept, _, item in reversed(self._items):  # the newest is the likeliest
            distance = abs(kept - stamp)
            if distance <= least:
                found, least = (item, distance), distance
            if not distance:
                break
        return found

    def may_still_bring(self, stamp: int, slop: int, now: float) -> bool:
        """Whether a message within ``slop`` of ``stamp`` can be expected."""
        if not self._items:
            return False
        newest, arrival, _ = self._items[-1]
        return newest < stamp + slop and now - arrival < SILENCE_S


@dataclass(frozen=True)
class Paired:
    """An image with what belongs to it.

    Args:
        stamp: The image's stamp, nanoseconds.
        image: The image message.
        depth: Depth within the slop, or None.
        detections: Detections within the slop, or None.
        depth_offset: Difference of stamps of the image and the nearest depth, be it within the
            slop or not, nanoseconds; None when there was no depth at all.
    """

    stamp: int
    image: Image | CompressedImage
    depth: Image | None = None
    detections: Detection2DArray | None = None
    depth_offset: int | None = None


@dataclass(frozen=True)
class _Waiting:
    stamp: int
    arrival: float
    image: Image | CompressedImage


class Pairing:
    """Images waiting for their partners.

    Args:
        slop: Largest difference of stamps that still pairs, nanoseconds.
        wants_depth: Whether images wait for depth at all.
    """

    def __init__(self, slop: int, wants_depth: bool = True) -> None:
        self.slop = slop
        self.wants_depth = wants_depth
        self.depth: Stream[Image] = Stream()
        self.detections: Stream[Detection2DArray] = Stream()
        self._images: deque[_Waiting] = deque(maxlen=KEPT)
        self._superseded = 0

    def add_image(self, stamp: int, image: Image | CompressedImage, now: float) -> None:
        """Let an image wait; see `Stream.add` for the arguments."""
        if self._images and stamp < self._images[-1].stamp - _TIME_JUMP_NS:
            self._superseded += len(self._images)
            self._images.clear()
        self._superseded += len(self._images) == KEPT
        self._images.append(_Waiting(stamp, now, image))

    def is_empty(self) -> bool:
        """Whether no image waits."""
        return not self._images

    def take(self, now: float) -> Paired | None:
        """The newest complete image, else the newest that has waited in vain, else none.

        Images older than the one taken are given up.
        """
        in_vain: _Waiting | None = None
        for waiting in reversed(self._images):
            pair = self._pair(waiting)
            if pair.detections is not None and (pair.depth is not None or not self.wants_depth):
                return self._taken(pair)
            if in_vain is None and not self._worth_waiting(waiting, pair, now):
                in_vain = waiting
        return self._taken(self._pair(in_vain)) if in_vain else None

    def superseded(self) -> int:
        """How many images were given up for newer ones since the last call."""
        count, self._superseded = self._superseded, 0
        return count

    def _pair(self, waiting: _Waiting) -> Paired:
        depth = self.depth.nearest(waiting.stamp) if self.wants_depth else None
        detections = self.detections.nearest(waiting.stamp, self.slop)
        return Paired(
            waiting.stamp,
            waiting.image,
            depth[0] if depth and depth[1] <= self.slop else None,
            detections[0] if detections else None,
            depth[1] if depth else None,
        )

    def _worth_waiting(self, waiting: _Waiting, pair: Paired, now: float) -> bool:
        if now - waiting.arrival >= PATIENCE_S:
            return False
        stamp, slop = waiting.stamp, self.slop
        missing: list[Stream[Image] | Stream[Detection2DArray]] = []
        if self.wants_depth and pair.depth is None:
            missing.append(self.depth)
        if pair.detections is None:
            missing.append(self.detections)
        return any(stream.may_still_bring(stamp, slop, now) for stream in missing)

    def _taken(self, pair: Paired) -> Paired:
        newer = [waiting for waiting in self._images if waiting.stamp > pair.stamp]
        self._superseded += len(self._images) - len(newer) - 1
        self._images = deque(newer, maxlen=KEPT)
        return pair
