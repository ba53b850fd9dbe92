"""``hoisdf data synth``: make a folder of labelled pictures to train and measure with."""

import argparse
import time
from pathlib import Path

SPLITS = ("train", "val", "test")
"""As in `data.synthetic_streams`, which takes long to import."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser("data", help="make training data")
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    synth = actions.add_parser(
        "synth",
        help="draw labelled pictures into a folder of shards; run again to go on after a stop",
    )
    synth.add_argument("--out", required=True, type=Path, help="folder, about 40 kB a sample")
    synth.add_argument("--samples", required=True, type=int, help="how many")
    synth.add_argument("--seed", type=int, default=0, help="another seed, other pictures")
    synth.add_argument("--split", choices=SPLITS, default="train", help="splits share nothing")
    synth.add_argument("--workers", type=int, default=1, help="processes, one core each")
    synth.add_argument(
        "--grasps",
        type=int,
        help="different grasps; default: one per six samples, at most 4096; val and test: 512",
    )
    synth.add_argument("--depth", action="store_true", help="keep depth maps: larger by far")
    synth.set_defaults(run=run)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Declare how a command is told which data set to read, in the same words everywhere."""
    parser.add_argument(
        "--data",
        required=True,
        metavar="NAME[:SPLIT]",
        help="synthetic[:SPLIT], shards:FOLDER, dexycb[:SPLIT] or ho3d[:SPLIT]",
    )
    parser.add_argument(
        "--data-root",
        default="",
        metavar="FOLDER",
        help="where a real data set lies; without: $DEX_YCB_DIR or $HO3D_DIR",
    )


def run(options: argparse.Namespace) -> int:
    """Make what the folder lacks, say how fast."""
    from hoisdf_ros.data.shard_writer import write_shards
    from hoisdf_ros.data.shards import Recipe
    from hoisdf_ros.data.synthetic import GENERATOR_VERSION, SyntheticData
    from hoisdf_ros.errors import DataError

    if options.workers < 1:
        raise DataError(f"--workers {options.workers}: expected 1 or more")
    asked = SyntheticData(options.split, options.samples, options.seed, grasps=options.grasps)
    recipe = Recipe(
        split=asked.split,
        seed=asked.seed,
        samples=len(asked),
        grasps=asked.num_grasps,
        depth=options.depth,
        generator=GENERATOR_VERSION,
    )
    start = time.monotonic()
    made = write_shards(options.out, recipe, options.workers)
    seconds = time.monotonic() - start
    size = sum(file.stat().st_size for file in options.out.glob("shard-*.zip")) / 1e6
    print(
        f"{options.out}: {len(asked)} samples of split {asked.split}, seed {asked.seed}, "
        f"{size:.1f} MB"
    )
    print(
        f"made {made.new} in {seconds:.1f} s ({made.new / seconds:.1f} a second), kept {made.kept}"
    )
    return 0
