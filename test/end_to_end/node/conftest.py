"""Fixtures around `rig.Rig`, which is read by its path: test folders are no packages."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Rig = Any

if importlib.util.find_spec("rclpy") is None:  # the core without ROS
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def tools() -> Any:  # noqa: ANN401
    """The module `rig`."""
    spec = importlib.util.spec_from_file_location("rig", Path(__file__).with_name("rig.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_rig(tools: Any) -> Iterator[Callable[..., Rig]]:  # noqa: ANN401
    """Builds rigs, in a context of their own."""
    context = tools.new_context()
    rigs: list[Rig] = []

    def make(**parameters: object) -> Rig:
        rigs.append(tools.Rig(context, **parameters))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()
    context.try_shutdown()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    """An active node."""
    return make_rig().start()
