"""Windows taken in turn."""

from hoisdf_ros.datatypes import Box
from hoisdf_ros.tracking.search import IDLE_TILES, Search

WINDOWS = [Box(i, 0, i + 10, 10) for i in range(6)]


def test_without_a_hand_every_window_is_looked_at_soon_and_the_whole_image_always() -> None:
    search = Search()
    frames = [search.idle(WINDOWS, 0.1 * i) for i in range(5)]
    assert all(frame[0] == WINDOWS[0] for frame in frames)
    assert all(len(frame) == 1 + IDLE_TILES for frame in frames)
    seen = {window.x0 for frame in frames for window in frame}
    assert seen == {window.x0 for window in WINDOWS}


def test_an_image_without_tiles_is_looked_at_as_a_whole() -> None:
    assert Search().idle(WINDOWS[:1], 0.0) == WINDOWS[:1]


def test_beside_a_hand_one_window_now_and_then() -> None:
    search = Search()
    looks = [search.beside(WINDOWS, stamp / 30, 5.0) for stamp in range(61)]
    assert sum(map(len, looks)) in (10, 11)
    assert max(map(len, looks)) == 1
    seen = [window.x0 for look in looks for window in look]
    assert seen.count(WINDOWS[0].x0) in (5, 6)
    assert set(seen) == {window.x0 for window in WINDOWS}


def test_a_rate_of_zero_and_no_windows_are_no_search() -> None:
    assert Search().beside(WINDOWS, 0.0, 0.0) == []
    assert Search().beside([], 0.0, 5.0) == []


def test_time_that_starts_again_does_not_stop_the_search() -> None:
    search = Search()
    assert search.beside(WINDOWS, 100.0, 5.0)
    assert search.beside(WINDOWS, 0.0, 5.0)
