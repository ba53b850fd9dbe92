"""``hoisdf train``: weights from data."""

import argparse
from pathlib import Path

from hoisdf_ros.cli.data import add_data_options


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser(
        "train",
        help="train the network",
        description="Train the network. Several GPUs: torchrun --nproc-per-node N -m "
        "hoisdf_ros.cli.main train ...",
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="YAML such as config/train_tiny.yaml"
    )
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train to the end, or to the first thing that is wrong."""
    from hoisdf_ros.training.data_sets import open_data
    from hoisdf_ros.training.settings import read_config
    from hoisdf_ros.training.train import train

    config = read_config(options.config)
    data = open_data(options.data, config, options.data_root)
    train(config, data, options.out, resume=options.resume)
    print(f"weights: {options.out / 'last.pth'}; the best on held-out pictures: best.pth beside it")
    return 0
