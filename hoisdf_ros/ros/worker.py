"""The one thread that estimates, so that the executor stays free to receive."""

import threading
import time
from collections.abc import Callable

from hoisdf_ros.ros.pairing import Paired, Pairing

_POLL_S = 0.02  # how often an image that waits is looked at when no message wakes the worker


class Worker:
    """Processes one image after the other, always the one that `Pairing` says is next.

    Args:
        pairing: Where images wait; touched only under this object's lock from now on.
        process: Called for each image in the worker's thread.
        on_failure: Called with whatever ``process`` raised; the worker carries on.
    """

    def __init__(
        self,
        pairing: Pairing,
        process: Callable[[Paired], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.min_period_s = 0.0
        self._pairing = pairing
        self._process = process
        self._on_failure = on_failure
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="hoisdf_worker", daemon=True)

    def start(self) -> None:
        """Begin to process."""
        self._thread.start()

    def offer(self, add: Callable[[Pairing], None]) -> None:
        """Change the pairing, then let the worker look at it; returns at once."""
        with self._wake:
            add(self._pairing)
            if not self._pairing.is_empty():  # depth that comes before its image wakes nobody
                self._wake.notify()

    def superseded(self) -> int:
        """How many images were given up for newer ones since the last call."""
        with self._wake:
            return self._pairing.superseded()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Finish the image at hand, then end.

        Returns:
            Whether the thread has ended; False when the image takes longer than the timeout.
        """
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        next_start = 0.0
        while (paired := self._next(next_start)) is not None:
            next_start = time.monotonic() + self.min_period_s
            try:
                self._process(paired)
            except Exception as error:
                self._on_failure(error)

    def _next(self, not_before: float) -> Paired | None:
        """The next image, once the rate limit allows; None when stopping."""
        with self._wake:
            while not self._stopping:
                now = time.monotonic()
                if now < not_before:
                    self._wake.wait(not_before - now)
                    continue
                paired = self._pairing.take(now)
                if paired is not None:
                    return paired
                self._wake.wait(None if self._pairing.is_empty() else _POLL_S)
        return None
