"""``hoisdf parity``: does this network compute what the published one does?"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hoisdf_ros.config import PRESETS, preset
from hoisdf_ros.conventions import Side

if TYPE_CHECKING:
    from hoisdf_ros.bench.comparison import Comparison


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser("parity", help="compare every array of a golden file with ours")
    parser.add_argument("--preset", required=True, choices=PRESETS)
    parser.add_argument("--checkpoint", required=True, type=Path, help="weights, .pth")
    parser.add_argument(
        "--hand-model", required=True, type=Path, help="MANO's layout, .npz or .pkl"
    )
    parser.add_argument("--golden", required=True, type=Path, help="arrays to match, .npz")
    parser.add_argument(
        "--lattice",
        choices=("auto", "regular", "sheared"),
        default="auto",
        help="layout of the sampling lattice; auto: the one the golden points lie on",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the largest error of each array; 0 when all agree, else 1."""
    from hoisdf_ros.bench.golden import load_golden
    from hoisdf_ros.bench.parity import compare
    from hoisdf_ros.bench.parity_targets import NOT_COMPARED
    from hoisdf_ros.hand_model.assets import load_hand_arrays
    from hoisdf_ros.hand_model.mano import HandModel
    from hoisdf_ros.network.checkpoint import load_checkpoint
    from hoisdf_ros.network.model import Hoisdf

    golden = load_golden(options.golden)
    config = preset(options.preset)
    lattice = golden.lattice(config.lattice_size)
    if options.lattice != "auto":
        lattice = options.lattice
    model = Hoisdf(preset(options.preset, lattice)).eval()
    load_checkpoint(options.checkpoint, model)
    hand_model = HandModel(load_hand_arrays(options.hand_model, Side.RIGHT)).eval()
    print(f"{options.golden.name}: preset {options.preset}, {lattice} lattice, float32, CPU")
    print(f"{'stage':<16}{'array':<28}{'largest error':>14}{'tolerance':>11}")
    failed = left_out = 0
    for comparison in compare(model, hand_model, golden):
        failed += not comparison.agrees
        left_out += comparison.stage == NOT_COMPARED
        print(_line(comparison, compared=comparison.stage != NOT_COMPARED))
    if left_out:
        print(f"{left_out} targets {NOT_COMPARED}: a change in them would not show")
    print("agrees with the published network" if not failed else f"{failed} comparisons disagree")
    return 1 if failed else 0


def _line(comparison: "Comparison", *, compared: bool) -> str:
    if not compared:
        return f"{comparison.stage:<16}{comparison.array:<28}  ({comparison.note})"
    mark = "" if comparison.agrees else "  DISAGREES"
    note = f"  ({comparison.note})" if comparison.note else ""
    return (
        f"{comparison.stage:<16}{comparison.array:<28}{comparison.error:>14.2e}"
        f"{comparison.tolerance:>11.0e}{mark}{note}"
    )
