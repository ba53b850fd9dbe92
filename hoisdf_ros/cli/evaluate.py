"""``hoisdf evaluate``: how wrong weights are, by the field's own measures."""

import argparse
import json
from pathlib import Path

from hoisdf_ros.cli.data import add_data_options
from hoisdf_ros.config import PRESETS


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser(
        "evaluate",
        help="measure weights on a data set",
        description="Measure weights on a data set, given true wrists and boxes.",
    )
    parser.add_argument("--weights", required=True, help="checkpoint")
    add_data_options(parser)
    parser.add_argument(
        "--samples",
        type=int,
        help="how many; without: 1000 synthetic ones, all of other data sets; fewer of those are "
        "spread evenly",
    )
    parser.add_argument("--seed", type=int, help="of synthetic data; another seed, other pictures")
    parser.add_argument("--grasps", type=int, help="of synthetic data; fewer are ready sooner")
    parser.add_argument("--surfaces", action="store_true", help="signed distance fields, too: slow")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder for tables, JSON and pictures")
    parser.add_argument("--preset", default="", choices=("", *PRESETS))
    parser.add_argument(
        "--hand-model", default="", metavar="FOLDER", help="folder with MANO_RIGHT.pkl or .npz"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch-size", type=int, default=8, help="samples of one pass")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the result; everything that is not the result goes to stderr."""
    from hoisdf_ros.evaluation.report import Request, evaluate, note

    report = evaluate(
        Request(
            weights=options.weights,
            data=options.data,
            data_root=options.data_root,
            samples=options.samples,
            seed=options.seed,
            grasps=options.grasps,
            preset=options.preset,
            hand_model_dir=options.hand_model,
            device=options.device,
            batch_size=options.batch_size,
            surfaces=options.surfaces,
        )
    )
    if options.json:
        print(json.dumps(report.as_dict(), indent=2, allow_nan=False))
    else:
        print(report.markdown(), end="")
    if options.out is not None:
        for path in report.write(options.out):
            note(f"wrote {path}")
    return 0
