"""A process around a node: begins, spins, and ends when told to."""

import sys
from collections.abc import Callable, Sequence
from typing import Protocol

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from hoisdf_ros.errors import HoisdfError

REFUSED = 2
"""Exit status when a parameter or the machine cannot be used."""


class Closable(Protocol):
    """A node that wants to tidy up."""

    def close(self) -> None:
        """Stop before the process ends."""


def run(name: str, make_node: Callable[[], Closable], args: Sequence[str] | None) -> int:
    """Spin a node until the process is asked to end.

    Args:
        name: Of the program, for messages.
        make_node: Builds the node. It needs a timer, or SIGTERM can be missed.
        args: Command line with ROS arguments; None takes the process's.

    Returns:
        The exit status: 0, or `REFUSED`.
    """
    rclpy.init(args=args)
    node: Closable | None = None
    try:
        node = make_node()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (HoisdfError, ParameterException) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return REFUSED
    except Exception:
        if rclpy.ok():  # otherwise a signal came during start-up, and half-made things broke
            raise
    finally:
        if node is not None:
            node.close()
        rclpy.try_shutdown()
    return 0
