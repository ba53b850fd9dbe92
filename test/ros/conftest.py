"""A ROS context of its own for each test that wants nodes."""

import importlib.util
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

if importlib.util.find_spec("rclpy") is None:  # the core without ROS
    collect_ignore_glob = ["test_*.py"]
else:
    import rclpy
    from rclpy.context import Context

    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(1, 100)))

    @pytest.fixture
    def context() -> Iterator[Context]:
        """An initialised context that takes its nodes with it."""
        found = Context()
        rclpy.init(context=found)
        yield found
        found.try_shutdown()

    @pytest.fixture(scope="session")
    def demo_source() -> Any:  # noqa: ANN401
        """The `DemoSource` of the recording in test/data; planning its scene takes seconds."""
        pytest.importorskip("moderngl")
        from hoisdf_ros.ros.demo_camera import DemoCameraConfig, DemoSource

        config = DemoCameraConfig(depth_encoding="16UC1", publish_detections=True, noise=False)
        return DemoSource(config)
