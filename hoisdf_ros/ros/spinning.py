"""A process around a node: begins, spins, and ends when told to."""

import re
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions, install_signal_handlers

from hoisdf_ros.errors import ConfigError, HoisdfError

REFUSED = 2
"""Exit status when a parameter or the machine cannot be used."""

_ORIGIN = re.compile(r",? at \S+:\d+")  # lines of rcl's source, which help no user


class Closable(Protocol):
    """A node that wants to tidy up."""

    def close(self) -> None:
        """Stop before the process ends."""


def run(name: str, make_node: Callable[[], Closable], args: Sequence[str] | None) -> int:
    """Spin a node until the process is asked to end.

    A signal that comes before the node exists ends the process at once.

    Args:
        name: Of the program, for messages.
        make_node: Builds the node. It needs a timer, or SIGTERM can be missed.
        args: Command line with ROS arguments; None takes the process's.

    Returns:
        The exit status: 0, or `REFUSED`.
    """
    node: Closable | None = None
    try:
        _begin(args)
        node = make_node()
        install_signal_handlers()  # from here on there is something to tidy up
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except HoisdfError as error:
        return _refuse(name, str(error))
    except ParameterException as error:  # use_sim_time, say; rclpy puts the name behind it, too
        return _refuse(name, str(error).rpartition(": ")[0])
    except Exception:
        if rclpy.ok():  # otherwise a signal came during start-up, and half-made things broke
            raise
    finally:
        if node is not None:
            node.close()
        rclpy.try_shutdown()
    return 0


def _begin(args: Sequence[str] | None) -> None:
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # what rclpy raises has no public name
        what = " ".join(_ORIGIN.sub("", str(error)).split())
        raise ConfigError(
            f"ROS arguments cannot be used: {what}; expected --ros-args -p NAME:=VALUE, "
            "-r FROM:=TO, --params-file FILE"
        ) from error


def _refuse(name: str, message: str) -> int:
    print(f"{name}: {message}", file=sys.stderr)
    return REFUSED
