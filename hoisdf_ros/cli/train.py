"""``hoisdf train``: weights from data."""

import argparse
from pathlib import Path


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
    parser.add_argument("--data", required=True, help="synthetic, dexycb:ROOT or ho3d:ROOT")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and log")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train to the end, or to the first thing that is wrong."""
    from hoisdf_ros.training.data_sets import open_data
    from hoisdf_ros.training.settings import read_config
    from hoisdf_ros.training.train import train

    config = read_config(options.config)
    train(config, open_data(options.data, config), options.out, resume=options.resume)
    print(f"weights: {options.out / 'last.pth'}; the best on held-out pictures: best.pth beside it")
    return 0
