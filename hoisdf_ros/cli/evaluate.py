"""``hoisdf evaluate``: how wrong weights are, by the field's own measures."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hoisdf_ros.cli.data import add_data_options
from hoisdf_ros.config import PRESETS, EstimatorConfig
from hoisdf_ros.errors import ConfigError

if TYPE_CHECKING:
    from hoisdf_ros.evaluation.report import Request

OF_SAMPLES = ("samples", "surfaces", "root_errors", "data_root")
OF_SEQUENCES = ("sequences", "length", "every", "scenes")
"""Options that have no meaning with ``--localise``, and without it."""


class Report(Protocol):
    """What every kind of evaluation gives."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        ...

    def markdown(self) -> str:
        """As tables."""
        ...

    def write(self, folder: Path) -> list[Path]:
        """Write all files."""
        ...


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser(
        "evaluate",
        help="measure weights on a data set",
        description="Measure weights: on single pictures, given true wrists and boxes; with "
        "--localise on synthetic sequences, as a robot sees them.",
    )
    parser.add_argument("--weights", required=True, help="checkpoint")
    add_data_options(parser)
    parser.add_argument("--seed", type=int, help="of synthetic data; another seed, other pictures")
    parser.add_argument("--grasps", type=int, help="of synthetic data; fewer are ready sooner")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder for tables, JSON and pictures")
    parser.add_argument("--preset", default="", choices=("", *PRESETS))
    parser.add_argument(
        "--hand-model", default="", metavar="FOLDER", help="folder with MANO_RIGHT.pkl or .npz"
    )
    parser.add_argument("--device", default="auto")
    _add_sample_options(parser)
    _add_sequence_options(parser)
    parser.set_defaults(run=run)


def _add_sample_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("single pictures")
    group.add_argument(
        "--samples",
        type=int,
        help="how many; without: 1000 synthetic ones, all of other data sets; fewer of those are "
        "spread evenly",
    )
    group.add_argument("--surfaces", action="store_true", help="signed distance fields, too: slow")
    group.add_argument("--batch-size", type=int, default=8, help="samples of one pass")
    group.add_argument(
        "--root-errors",
        metavar="MM,MM",
        help="measure what wrists that are wrong by so much do, such as 0,10,20,50",
    )


def _add_sequence_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sequences")
    group.add_argument(
        "--localise",
        choices=("depth", "rgb", "given"),
        help="what the estimator is told: picture and depth, picture alone, or true boxes, wrist "
        "and object",
    )
    group.add_argument("--sequences", type=int, help="how many, kinds in turn; of scenes: of each")
    group.add_argument("--length", type=float, metavar="SECONDS", help="of each; without: 4")
    group.add_argument("--every", type=int, help="show only every so many frames of 30 a second")
    group.add_argument(
        "--scenes",
        nargs="?",
        const="all",
        metavar="NAME,NAME",
        help="bad input instead, and how often it leads to poses that are confidently wrong",
    )


def run(options: argparse.Namespace) -> int:
    """Print the result; everything that is not the result goes to stderr."""
    from hoisdf_ros.evaluation.report import note

    report = _report(options)
    if options.json:
        print(json.dumps(report.as_dict(), indent=2, allow_nan=False))
    else:
        print(report.markdown(), end="")
    if options.out is not None:
        for path in report.write(options.out):
            note(f"wrote {path}")
    return 0


def _report(options: argparse.Namespace) -> Report:
    from hoisdf_ros.evaluation.report import evaluate
    from hoisdf_ros.evaluation.root_error_report import evaluate_root_errors, parse_errors

    meaningless = OF_SEQUENCES if options.localise is None else OF_SAMPLES
    for name in meaningless:
        value = getattr(options, name)
        if value not in (None, False, ""):
            raise ConfigError(
                f"--{name.replace('_', '-')} has no meaning "
                f"{'without' if options.localise is None else 'with'} --localise; leave one out"
            )
    if options.localise is not None:
        return _sequences(options)
    if options.root_errors is not None:
        return evaluate_root_errors(_request(options), parse_errors(options.root_errors))
    return evaluate(_request(options))


def _request(options: argparse.Namespace) -> "Request":
    from hoisdf_ros.evaluation.report import Request

    return Request(
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


def _sequences(options: argparse.Namespace) -> Report:
    from hoisdf_ros.evaluation.sequence_report import SequenceRequest, evaluate_sequences

    usual = SequenceRequest(EstimatorConfig(), options.data, options.localise)
    return evaluate_sequences(
        SequenceRequest(
            EstimatorConfig(
                weights=options.weights,
                preset=options.preset,
                hand_model_dir=options.hand_model,
                device=options.device,
            ),
            options.data,
            options.localise,
            scenes=options.scenes or "",
            sequences=options.sequences,
            seed=usual.seed if options.seed is None else options.seed,
            grasps=options.grasps,
            seconds=usual.seconds if options.length is None else options.length,
            every=usual.every if options.every is None else options.every,
        )
    )
