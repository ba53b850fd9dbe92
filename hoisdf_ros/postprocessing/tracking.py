"""Names that stay: which of the hands seen before is this one?"""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Array

JUMP_M = 0.3
"""A wrist that is farther from where it was than this belongs to another hand."""


@dataclass
class _Track:
    id: int
    side: Side
    position: Array
    stamp: float


class Tracker:
    """Gives hands ids that last while they are seen.

    Args:
        timeout: A hand unseen for so long is forgotten, seconds.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._tracks: list[_Track] = []
        self._next_id = 0

    def reset(self) -> None:
        """Forget every hand; ids are never given twice."""
        self._tracks.clear()

    def forget(self, stamp: float) -> None:
        """Drop the hands that were last seen too long before ``stamp``, or after it.

        Args:
            stamp: Time of the frame, seconds; a step back in time (a bag that starts again)
                forgets everything.
        """
        self._tracks = [t for t in self._tracks if 0 <= stamp - t.stamp <= self.timeout]

    def identify(self, side: Side, position: Array, stamp: float) -> int:
        """The id of a hand seen now.

        Args:
            side: Its side.
            position: (3,) wrist, camera frame, metres.
            stamp: Time of the frame, seconds; a hand already seen in this frame is another.
        """
        candidates = [t for t in self._tracks if t.side is side and t.stamp != stamp]
        track = min(candidates, key=lambda t: _distance(t, position), default=None)
        if track is None or _distance(track, position) > JUMP_M:
            track = _Track(self._next_id, side, position, stamp)
            self._next_id += 1
            self._tracks.append(track)
        track.position, track.stamp = position, stamp
        return track.id


def _distance(track: _Track, position: Array) -> float:
    return float(np.linalg.norm(track.position - position))
