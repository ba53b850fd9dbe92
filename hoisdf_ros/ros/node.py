"""`hoisdf_node`: camera topics in, hands and held objects out.

The executor's single thread receives and never waits; one worker thread estimates and
publishes. (A multi-threaded executor loses frames in rclpy, measured.)
"""

import signal

if __name__ == "__main__":  # Ctrl-C during the imports, which take seconds: ends without a word
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.ros.background import in_background, is_done
from hoisdf_ros.ros.core import EstimatorFactory, EstimatorLike, load_estimator
from hoisdf_ros.ros.diagnostics import Surroundings, statuses
from hoisdf_ros.ros.health import Health
from hoisdf_ros.ros.inputs import Inputs
from hoisdf_ros.ros.outputs import Outputs
from hoisdf_ros.ros.pairing import Pairing
from hoisdf_ros.ros.parameters import checked, declare, read
from hoisdf_ros.ros.processing import Parts, Processor
from hoisdf_ros.ros.spinning import run
from hoisdf_ros.ros.worker import Worker

_HEARTBEAT_S = 0.2  # also what lets SIGTERM end an idle executor, which can miss its wake-up
_DIAGNOSTICS_PERIOD_S = 1.0
_PROGRESS_PERIOD_S = 5.0
_LOADING_STOP_S = 8.0  # torch aborts the process when it ends amid its import
_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class HandObjectNode(LifecycleNode):
    """Publishes the hands and held objects of each image; the core does all the estimating.

    Args:
        make_estimator: Builds the core from the parameters, when the node is configured.
        options: As for `rclpy.node.Node`: namespace, parameter_overrides, context, ...
    """

    def __init__(
        self, make_estimator: EstimatorFactory = load_estimator, **options: object
    ) -> None:
        super().__init__("hoisdf_node", **options)
        self._make_estimator = make_estimator
        self._health = Health()
        self._estimator: EstimatorLike | None = None
        self._outputs: Outputs | None = None
        self._processor: Processor | None = None
        self._worker: Worker | None = None
        self._inputs: Inputs | None = None
        self._loading: Future[EstimatorLike] | None = None
        self._levels: list[tuple[str, bytes]] = []
        self._diagnosed = 0.0
        self._say_unconfigured()
        declare(self, self._accept, self._on_parameters)
        self._config = read(self)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_service(Trigger, "~/reset", self._on_reset)
        steady = Clock(clock_type=ClockType.STEADY_TIME)  # simulated time may never come
        self.create_timer(_HEARTBEAT_S, self._on_heartbeat, clock=steady)
        self._autostart = self.create_timer(0.0, self._on_autostart, clock=steady)

    def close(self) -> None:
        """Stop before the process ends."""
        self._stop()
        if self._loading is not None:
            is_done(self._loading, _LOADING_STOP_S)

    # Life cycle. rclpy swallows what a transition raises, hence the broad handlers.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters and load the core; on failure say why and stay unconfigured."""
        try:
            self._config = checked(read(self))
            estimator = self._estimator = self._load(self._config)
            self._accept(self._config)
            self._outputs = Outputs(self, estimator)
            parts = Parts(self, estimator, self._outputs, self._health)
            self._processor = Processor(parts, self._config)
            info = estimator.describe()
        except Exception as error:
            self._explain("configure", error)
            self._release()
            return _FAILURE
        self._health.model(info)
        meaning = "" if info.trained else "; untrained weights: poses are meaningless"
        notes = "".join(f"; {note}" for note in info.notes)
        self.get_logger().info(
            f"{info.preset} ({info.weights}, {info.weights_hash}) on {info.device}, "
            f"{info.backend}, {info.precision}; hand detector: {info.detector}{meaning}{notes}"
        )
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and begin to estimate."""
        try:
            result = super().on_activate(state)  # lets the publishers speak
            self._begin()
        except Exception as error:
            self._explain("activate", error)
            self._stop()
            return _FAILURE
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe, finish the image at hand, keep the core."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the core and its memory."""
        self._stop()
        self._release()
        self._say_unconfigured()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop from wherever it is."""
        self._stop()
        self._release()
        self._health.model(None, "shut down")
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured, from where a new attempt can be made."""
        self.get_logger().error(f"the transition from '{state.label}' went wrong: unconfigured")
        self._stop()
        self._release()
        self._say_unconfigured()
        return _SUCCESS

    def _begin(self) -> None:
        if self._outputs is None or self._processor is None:
            raise HoisdfError("nothing is loaded: configure the node before activating it")
        self._outputs.publish_faces()
        pairing = Pairing(_slop_ns(self._config), self._config.depth_mode == "aligned")
        self._worker = Worker(pairing, self._processor, self._processor.on_failure)
        self._inputs = Inputs(self, self._config, self._worker, self._health)
        inputs = self._inputs
        self._processor.latest_info = lambda: inputs.info
        self._on_parameters(self._config)
        self._worker.start()

    def _stop(self) -> None:
        inputs, self._inputs = self._inputs, None
        worker, self._worker = self._worker, None
        if inputs is not None:
            inputs.close()
        if worker is not None and not worker.stop():
            self.get_logger().warning("the image at hand takes long; its result is thrown away")

    def _release(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        self._outputs = self._processor = self._estimator = None

    def _load(self, config: NodeConfig) -> EstimatorLike:
        """Build the core beside this thread, so that there is something to say meanwhile."""
        self._loading = loading = in_background(partial(self._make_estimator, config))
        started = spoken = time.monotonic()
        while not is_done(loading, _HEARTBEAT_S):
            if not self.context.ok():
                raise HoisdfError("asked to stop while loading")
            now = time.monotonic()
            self._health.model(None, f"loading for {now - started:.0f} s")
            self._publish_diagnostics()
            if now - spoken > _PROGRESS_PERIOD_S:
                spoken = now
                self.get_logger().info(f"loading for {now - started:.0f} s")
        self._loading = None
        return loading.result()

    def _explain(self, transition: str, error: Exception) -> None:
        """Log why a transition failed and keep it for the diagnostics."""
        if not self.context.ok():
            return  # nobody can be told any more
        kind = "" if isinstance(error, HoisdfError) else f"{type(error).__name__}: "
        then = f"Then: {self._how_to_configure()}, or start the node again"
        text = f"cannot {transition}: {kind}{error}. {then}"
        self.get_logger().error(text)
        self._health.model(None, text)

    def _say_unconfigured(self) -> None:
        self._health.model(None, f"not configured: {self._how_to_configure()}")

    def _how_to_configure(self) -> str:
        return f"ros2 lifecycle set {self.get_fully_qualified_name()} configure"

    # The executor's thread.

    def _on_autostart(self) -> None:
        self._autostart.cancel()
        if self._config.autostart and self.trigger_configure() == _SUCCESS:
            self.trigger_activate()

    def _accept(self, config: NodeConfig) -> None:
        """Refuse an object that the core, once there is one, has no mesh of."""
        if self._estimator is not None and config.object_id:
            self._estimator.object_mesh(config.object_id)

    def _on_parameters(self, config: NodeConfig) -> None:
        self._config = config
        if self._processor is not None:
            self._processor.reconfigure(config)
        if self._worker is not None:
            self._worker.min_period_s = 1 / config.max_rate_hz if config.max_rate_hz else 0.0
            self._worker.offer(partial(_set_slop, _slop_ns(config)))

    def _on_reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._processor is not None
        response.message = "tracks dropped" if response.success else "no tracks: not configured"
        if self._processor is not None:
            self._processor.reset()
        return response

    def _on_heartbeat(self) -> None:
        if self._worker is not None:
            self._health.superseded(self._worker.superseded())
        self._publish_diagnostics()

    def _publish_diagnostics(self) -> None:
        """Once a second, and when a level changes."""
        now = time.monotonic()
        around = Surroundings(
            node=self.get_fully_qualified_name(),
            active=self._inputs is not None,
            topics=self._inputs.topics() if self._inputs is not None else {},
            slop_ms=self._config.sync_slop_ms,
        )
        found = statuses(self._health.snapshot(), around)
        levels = [(status.name, status.level) for status in found]
        if levels == self._levels and now - self._diagnosed < _DIAGNOSTICS_PERIOD_S:
            return
        self._levels, self._diagnosed = levels, now
        message = DiagnosticArray(status=found)
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)


def _slop_ns(config: NodeConfig) -> int:
    return int(config.sync_slop_ms * 1e6)


def _set_slop(slop: int, pairing: Pairing) -> None:
    pairing.slop = slop


def main(args: Sequence[str] | None = None) -> int:
    """The executable ``hoisdf_node``.

    Args:
        args: Command line with ROS arguments; None takes the process's.
    """
    return run("hoisdf_node", HandObjectNode, args)


if __name__ == "__main__":
    sys.exit(main())
