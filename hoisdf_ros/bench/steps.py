"""What each step from the network as it is written to the network as it serves brings.

All ways run in turns, with the same weights and the same rendered pictures::

    python -m hoisdf_ros.bench.steps --preset dexycb
    python -m hoisdf_ros.bench.steps --weights demo --compiled    # after hoisdf compile
"""

import argparse
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hoisdf_ros.bench.agreement import agreement
from hoisdf_ros.bench.latency import describe_machine
from hoisdf_ros.bench.measure import Bench, exact_network
from hoisdf_ros.bench.pictures import rendered_frames
from hoisdf_ros.bench.scaling import in_turn
from hoisdf_ros.bench.timing import in_turns
from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.backend import Backend, EagerBackend
from hoisdf_ros.runtime.choice import make_backend
from hoisdf_ros.runtime.loading import load_source
from hoisdf_ros.runtime.precision import in_precision

_PRECISIONS = ("fp32", "bf16")


def ways(exact: Hoisdf, device: str) -> dict[str, Backend]:
    """Each step on top of the one before.

    Args:
        exact: The network as it is written, with the dense search.
        device: Where all run.
    """
    searching = copy.deepcopy(exact)
    searching.search_with("coarse_to_fine")
    folded = serving_copy(exact, "coarse_to_fine")
    by_rows = serving_copy(exact, "coarse_to_fine", rows=True)
    networks = {
        "as it is written": exact,
        "coarse-to-fine search": searching,
        "norms folded, channels last": folded,
        "feature maps read as rows": by_rows,
        "bf16": in_precision(by_rows, "bf16"),
    }
    return {name: EagerBackend(network, device) for name, network in networks.items()}


def compiled(config: EstimatorConfig) -> dict[str, Backend]:
    """The compiled network in both precisions; it must have been built.

    Raises:
        BackendError: It has not.
    """
    settings = replace(config, backend="compiled", allow_engine_build=False)
    return {
        f"compiled, {precision}": make_backend(load_source(replace(settings, precision=precision)))
        for precision in _PRECISIONS
    }


def table(bench: Bench, backends: Mapping[str, Backend], runs: int) -> list[str]:
    """Lines of Markdown.

    Args:
        bench: What is looked at.
        backends: The first is what the others are compared with.
        runs: Rounds, after one that is not counted.
    """
    tasks = {name: in_turn(backend, bench.inputs) for name, backend in backends.items()}
    taken = in_turns(tasks, runs, bench.backend.device)
    answers = {name: bench.answers(backend) for name, backend in backends.items()}
    (first, *_) = backends
    lines = [
        "| way | median ms | times as fast | joint, mm | object, mm | object, deg |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, timing in taken.items():
        off = agreement(answers[name], answers[first])
        lines.append(
            f"| {name} | {timing.median:.0f} | {taken[first].median / timing.median:.1f} "
            f"| {off.joint_mm:.2f} | {off.object_mm:.2f} | {off.object_deg:.2f} |"
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the machine and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--weights", default="", help="demo, a checkpoint, or random numbers (usual)"
    )
    parser.add_argument("--preset", default="", help="usually that of the weights")
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument(
        "--compiled", action="store_true", help="also what hoisdf compile has built"
    )
    options = parser.parse_args(arguments)
    config = EstimatorConfig(weights=options.weights, preset=options.preset, backend="eager")
    bench = Bench(config, rendered_frames(options.pictures))
    device = bench.backend.device
    exact = exact_network(config, bench.estimator.network.config, device).model
    backends = ways(exact, device) | (compiled(config) if options.compiled else {})
    print(f"{bench.estimator.network.config.name}, {describe_machine(device)}")
    print("\n".join(table(bench, backends, options.runs)))


if __name__ == "__main__":
    main()
