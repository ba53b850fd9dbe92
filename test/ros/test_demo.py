"""The demonstration's own decisions; the whole of it runs in `end_to_end`."""

from collections.abc import Callable

import pytest

pytest.importorskip("moderngl")

from hoisdf_ros.ros.demo import watch


class Clock:
    """A recorder, and a spinning that costs no time."""

    def __init__(self, view_after_s: float) -> None:
        self.now = 0.0
        self.images_s = 0.0
        self._view_after_s = view_after_s
        self._images = False

    def watch_images(self, wanted: bool) -> None:
        self._images = wanted

    def has_view(self) -> bool:
        return self.images_s >= self._view_after_s

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        start = self.now
        while not until() and self.now < start + seconds:
            self.now += 0.25
            self.images_s += 0.25 * self._images
        return self.now - start


@pytest.mark.parametrize(
    ("view_after_s", "images_s"), [(0.25, 5.25), (2.0, 7.0), (float("inf"), 10.0)]
)
def test_it_watches_as_long_as_asked_however_early_the_view_comes(
    view_after_s: float, images_s: float
) -> None:
    clock = Clock(view_after_s)
    watch(clock, clock.spin, 20.0)  # type: ignore[arg-type]
    assert clock.now == 20.0
    assert clock.images_s == images_s
