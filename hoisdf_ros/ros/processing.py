"""What happens to one image in the worker's thread: convert, estimate, publish."""

import math
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from hoisdf_ros.config import MAX_AHEAD_MS, NodeConfig
from hoisdf_ros.datatypes import Estimate, Frame
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.ros.core import EstimatorLike
from hoisdf_ros.ros.frames import (
    DEPTH_REASONS,
    DroppedImageError,
    Problem,
    frame_from_messages,
)
from hoisdf_ros.ros.health import Health, Processed
from hoisdf_ros.ros.outputs import Outputs
from hoisdf_ros.ros.pairing import Paired


@dataclass(frozen=True)
class Parts:
    """What a `Processor` works with.

    Args:
        node: Its clock and its log.
        estimator: The core.
        outputs: Where results go.
        health: Where counts, times and problems go.
    """

    node: Node
    estimator: EstimatorLike
    outputs: Outputs
    health: Health


class Processor:
    """Turns one image after the other into published results, or into a counted drop.

    Args:
        parts: What it works with.
        config: The parameters; replaced by `reconfigure`.
    """

    def __init__(self, parts: Parts, config: NodeConfig) -> None:
        self._parts = parts
        self._config = config
        self._requests: list[Callable[[EstimatorLike], None]] = []
        self._lock = threading.Lock()
        self.latest_info: Callable[[], CameraInfo | None] = lambda: None
        """Gives the latest calibration; set by whoever subscribes to it."""

    def reconfigure(self, config: NodeConfig) -> None:
        """Use other parameters from the next image on; the core hears of it then, too."""
        self._config = config
        self._request(lambda estimator: estimator.update(config))

    def reset(self) -> None:
        """Drop all tracks before the next image."""
        self._request(lambda estimator: estimator.reset())

    def __call__(self, paired: Paired) -> None:
        """Estimate one image and publish the result under the image's own stamp and frame."""
        parts, config, started = self._parts, self._config, time.perf_counter()
        try:
            frame, problems = self._frame(paired, config)
            estimating = time.perf_counter()
            estimate = self._estimate(frame)
            estimated = time.perf_counter()
        except DroppedImageError as error:
            self._report(error.problem, "image dropped")
            return
        parts.outputs.publish(paired.image.header, frame, estimate, config)
        own_s = time.perf_counter() - estimated + estimating - started
        parts.health.processed(
            Processed(
                estimate=estimate,
                size=(frame.camera.width, frame.camera.height),
                frame_id=frame.camera.frame_id,
                had_depth=frame.depth is not None,
                had_detections=paired.detections is not None,
                depth_problem=next((p.message for p in problems if p.reason in DEPTH_REASONS), ""),
                depth_offset_ms=_milliseconds(paired.depth_offset),
                latency_ms=self._age_ms(paired),
                own_ms=own_s * 1e3,
            )
        )

    def on_failure(self, error: Exception) -> None:
        """An error nobody foresaw: name it with its origin, drop the image, carry on."""
        if not self._parts.node.context.ok():
            return  # the process is ending; nothing can be published any more
        origin = "".join(traceback.format_exception(error))
        problem = Problem("internal error", f"{type(error).__name__}: {error}")
        self._report(problem, f"image dropped; please report this:\n{origin}")

    def _frame(self, paired: Paired, config: NodeConfig) -> tuple[Frame, tuple[Problem, ...]]:
        age_ms = self._age_ms(paired)
        if age_ms > config.max_input_age_ms:
            raise DroppedImageError(
                "too old",
                f"image is {age_ms:.0f} ms old, max_input_age_ms is {config.max_input_age_ms:g}: "
                "do the clocks of camera and node agree? For a recording: ros2 bag play --clock, "
                "and use_sim_time",
            )
        if age_ms < -MAX_AHEAD_MS:
            raise DroppedImageError(
                "in the future",
                f"image is stamped {-age_ms:.0f} ms ahead of the node's clock, {MAX_AHEAD_MS} ms "
                "are allowed: do the clocks of camera and node agree? With use_sim_time, does "
                "anything publish /clock (ros2 bag play --clock)?",
            )
        info = self.latest_info()
        if info is None:
            topic = self._parts.node.resolve_topic_name("camera_info")
            raise DroppedImageError(
                "no camera_info",
                f"no camera_info on '{topic}': is the driver running? If its topic has another "
                "name, remap camera_info:=<topic>",
            )
        frame, problems = frame_from_messages(paired, info, config.image_is_rectified)
        for problem in problems:
            self._report(problem, "left out")
        return frame, problems

    def _estimate(self, frame: Frame) -> Estimate:
        with self._lock:
            requests, self._requests = self._requests, []
        try:
            for request in requests:
                request(self._parts.estimator)
            return self._parts.estimator(frame)
        except HoisdfError as error:
            raise DroppedImageError("refused by the estimator", str(error)) from error

    def _request(self, request: Callable[[EstimatorLike], None]) -> None:
        with self._lock:
            self._requests.append(request)

    def _report(self, problem: Problem, consequence: str) -> None:
        """Count a problem, and log it unless its reason was logged a moment ago.

        The reasons share this call site, which rclpy's own throttle would take for one.
        """
        if self._parts.health.dropped(problem):
            self._parts.node.get_logger().warning(f"{problem.message} ({consequence})")

    def _age_ms(self, paired: Paired) -> float:
        age: int = self._parts.node.get_clock().now().nanoseconds - paired.stamp
        return age * 1e-6


def _milliseconds(nanoseconds: int | None) -> float:
    return math.inf if nanoseconds is None else nanoseconds * 1e-6
