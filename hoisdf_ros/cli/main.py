"""``hoisdf <command>``."""

import argparse
import os
import sys
from collections.abc import Sequence

from hoisdf_ros.cli import bench, data, detector, evaluate, parity, predict, train
from hoisdf_ros.cli import compile as compile_network
from hoisdf_ros.errors import HoisdfError

FAILED, REFUSED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Words after ``hoisdf``; None takes the process's.

    Returns:
        The exit status: 0 done, 1 the command's own "no", 2 refused input.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: 20 times slower otherwise
    parser = argparse.ArgumentParser(
        prog="hoisdf", description="Hand and held object from one picture, in metres."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for command in (predict, parity, bench, compile_network, data, train, evaluate, detector):
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # who read our output, such as head, has seen enough
        _forget_output()
        return FAILED
    except HoisdfError as error:
        return _refuse(options.command, str(error))
    except OSError as error:
        if not _flushed():
            _forget_output()
        return _refuse(options.command, _advice(error))
    return status


def _refuse(command: str, message: str) -> int:
    print(f"hoisdf {command}: {message}", file=sys.stderr)
    return REFUSED


def _advice(error: OSError) -> str:
    """What a user can do about a file or folder that no command foresaw."""
    place = error.filename2 or error.filename
    what = f"'{place}'" if place else "the output"
    return (
        f"{what} cannot be read or written ({error.strerror or error}): expected a place that you "
        "may use, with room in it; mend that or choose another"
    )


def _flushed() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _forget_output() -> None:
    """Keep Python from flushing once more, in vain, when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
