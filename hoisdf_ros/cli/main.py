"""``hoisdf <command>``."""

import argparse
import os
import sys
from collections.abc import Sequence

from hoisdf_ros.cli import bench, data, parity, predict, train
from hoisdf_ros.errors import HoisdfError

REFUSED = 2


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
    for command in (predict, parity, bench, data, train):
        command.add_parser(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except HoisdfError as error:
        print(f"hoisdf {options.command}: {error}", file=sys.stderr)
        return REFUSED
    return status


if __name__ == "__main__":
    sys.exit(main())
