"""``hoisdf bench``: how long does the network take here?"""

import argparse

from hoisdf_ros.config import PRESETS, preset


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser("bench", help="time the network's three stages")
    parser.add_argument("--preset", choices=PRESETS, default="demo")
    parser.add_argument("--runs", type=int, default=20, help="after one that is not counted (20)")
    parser.add_argument("--device", default="auto")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the median of each stage beside the paper's."""
    from hoisdf_ros.bench.latency import (
        PAPER_MS,
        describe_machine,
        synthetic_input,
        time_stages,
    )
    from hoisdf_ros.network.io import NetworkInput
    from hoisdf_ros.network.model import Hoisdf
    from hoisdf_ros.runtime.backend import choose_device

    device = choose_device(options.device)
    config = preset(options.preset)
    model = Hoisdf(config).eval().to(device)
    inputs = NetworkInput(*(value.to(device) for value in synthetic_input(config.image_size)))
    timings = time_stages(model, inputs, max(1, options.runs))
    print(
        f"{config.name}, eager, fp32, exact search of a lattice of {config.lattice_size}^3 points"
    )
    print(f"{describe_machine(device)}; median of {max(1, options.runs)} runs")
    print(f"{'stage':<26}{'ms':>10}{'paper, TITAN RTX':>20}")
    for timing, paper in zip(timings, PAPER_MS, strict=True):
        print(f"{timing.stage:<26}{timing.median:>10.1f}{paper:>20.1f}")
    total = sum(timing.median for timing in timings)
    print(f"{'all':<26}{total:>10.1f}{sum(PAPER_MS):>20.1f}")
    return 0
