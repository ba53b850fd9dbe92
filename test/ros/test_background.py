"""Work beside the calling thread."""

import threading

import pytest

from hoisdf_ros.ros.background import in_background, is_done


def test_the_result_comes_when_it_is_there() -> None:
    gate = threading.Event()
    future = in_background(lambda: gate.wait(10) and "loaded")
    assert not is_done(future, 0.01)
    gate.set()
    assert is_done(future, 10)
    assert future.result() == "loaded"


def test_what_the_task_raised_is_raised_where_the_result_is_asked_for() -> None:
    nothing: dict[str, int] = {}
    future = in_background(lambda: nothing["missing"])
    assert is_done(future, 10)
    with pytest.raises(KeyError, match="missing"):
        future.result()


def test_a_task_that_timed_out_itself_is_done() -> None:
    def slow() -> None:
        raise TimeoutError("the server")

    future = in_background(slow)
    assert is_done(future, 10)
    with pytest.raises(TimeoutError, match="the server"):
        future.result()
