"""Which weights a command runs: the same two options everywhere."""

import argparse

from hoisdf_ros.config import PACKAGED, PRESETS


def add_weights_options(parser: argparse.ArgumentParser) -> None:
    """Declare ``--weights`` and ``--preset``."""
    parser.add_argument(
        "--weights",
        help=f"checkpoint; {PACKAGED}, or nothing: the packaged ones; empty, or nothing beside "
        "another preset: random numbers",
    )
    parser.add_argument(
        "--preset",
        choices=("", *PRESETS),
        default="",
        help="network that the weights are of; without: as they say",
    )


def weights_of(options: argparse.Namespace) -> str:
    """`EstimatorConfig.weights` as the options say."""
    if options.weights is not None:
        return str(options.weights)
    return PACKAGED if options.preset in {"", PACKAGED} else ""
