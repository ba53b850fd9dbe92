"""Work beside the calling thread that does not keep a process from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

T = TypeVar("T")


def in_background(task: Callable[[], T]) -> "Future[T]":
    """Start ``task`` in a daemon thread; its result, or what it raised, comes with the future."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(task())
        except BaseException as error:  # whoever asks for the result shall see it
            future.set_exception(error)

    threading.Thread(target=run, name="hoisdf_background", daemon=True).start()
    return future


def is_done(future: "Future[T]", timeout_s: float) -> bool:
    """Whether the task has ended, after waiting for it at most so long."""
    try:
        future.exception(timeout_s)
    except NotYet:
        return False
    return True
