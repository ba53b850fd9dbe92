"""When to look for hands that nobody follows yet, and in which parts of the image.

The whole image and all its tiles cost several times what following a hand does, so they take
turns: some in every frame while there is nothing else to do, one now and then beside a hand.
"""

from collections.abc import Sequence

from hoisdf_ros.datatypes import Box

IDLE_TILES = 2
"""Tiles looked at beside the whole image in a frame without a hand."""


class Search:
    """Takes the windows of an image in turn."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._turn = 0
        self._first = False

    def idle(self, windows: Sequence[Box], stamp: float) -> list[Box]:
        """What to look at in a frame in which no hand is known.

        Args:
            windows: The whole image, then its tiles.
            stamp: Of the frame, seconds.
        """
        self._last = stamp
        count = min(IDLE_TILES, len(windows) - 1)
        return [*windows[:1], *(self._next(windows[1:]) for _ in range(count))]

    def beside(self, windows: Sequence[Box], stamp: float, rate_hz: float) -> list[Box]:
        """What to look at beside hands that are followed: one window, or none this time.

        Args:
            windows: Those worth a look, the first every other time.
            stamp: Of the frame, seconds.
            rate_hz: So many a second at most; 0 for none.
        """
        if not windows or rate_hz <= 0:
            return []
        if self._last is not None and 0 <= stamp - self._last < 1 / rate_hz:
            return []
        self._last = stamp
        self._first = not self._first
        return [windows[0] if self._first else self._next(windows[1:] or windows)]

    def _next(self, windows: Sequence[Box]) -> Box:
        self._turn += 1
        return windows[self._turn % len(windows)]
