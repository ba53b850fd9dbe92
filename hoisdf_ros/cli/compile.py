"""``hoisdf compile``: build the network's engine, and nothing else."""

import argparse

from hoisdf_ros.cli.weights import add_weights_options, weights_of
from hoisdf_ros.config import EstimatorConfig


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser(
        "compile",
        help="build the network's engine, so that the node starts at once",
        description="On a GPU builds a TensorRT engine, elsewhere machine code for the CPU, and "
        "keeps it where the node looks for it.",
    )
    add_weights_options(parser)
    parser.add_argument("--precision", choices=("auto", "fp16", "bf16", "fp32"), default="auto")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda[:index]")
    parser.add_argument(
        "--target",
        choices=("this", "portable"),
        default="this",
        help="this machine; or any GPU from Ampere on, for Torch-TensorRT-RTX, built without one",
    )
    parser.add_argument("--engine-cache-dir", default="", metavar="DIR")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Build, compare where that can be done, and say what came out."""
    from hoisdf_ros.runtime.ahead import build_ahead
    from hoisdf_ros.runtime.loading import load_source

    config = EstimatorConfig(
        weights=weights_of(options),
        preset=options.preset,
        precision=options.precision,
        device=options.device,
        engine_cache_dir=options.engine_cache_dir,
    )
    source = load_source(config)
    built = build_ahead(source, portable=options.target == "portable", say=_say)
    engine = built.engine
    print(f"engine      {built.path}")
    print(f"for         {engine.key.processor}; {engine.key.software}")
    print(f"network     {engine.key.preset}, {engine.key.precision}, {source.weights_hash}")
    print(f"size        {len(engine.content) / 1e6:.1f} MB")
    print(f"build time  {engine.build_s:.0f} s")
    print(f"from eager  {engine.difference or 'not compared: that needs the GPU it is for'}")
    return 0


def _say(progress: str) -> None:
    print(progress, flush=True)
