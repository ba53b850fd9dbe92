"""Time of the network's three stages, which are those that the paper times (Sec. 3)."""

import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from hoisdf_ros.bench.roofline import Work, work_of
from hoisdf_ros.bench.timing import Timing, finish
from hoisdf_ros.network.io import NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import Stopwatch, search_capacity

STAGES = ("image features", "query points", "attention and regression")

PAPER_MS = (10.6, 11.5, 10.9)
"""The same on a TITAN RTX (supplementary, Sec. 3); milliseconds."""


def synthetic_input(size: int, seed: int = 0) -> NetworkInput:
    """A crop of noise with boxes half as wide as itself, and a hand half a metre away.

    For checks of the network; times are taken of `pictures`.

    Args:
        size: Side of the crop, pixels.
        seed: Of the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    middle = size / 2
    focal = 1.9 * size
    intrinsics = torch.tensor([[focal, 0.0, middle], [0.0, focal, middle], [0.0, 0.0, 1.0]])
    root = torch.tensor([[0.0, 0.0, 0.5]])
    box = torch.tensor([[0.25, 0.25, 0.75, 0.75]]) * size
    image = torch.rand(1, 3, size, size, generator=generator)
    return NetworkInput(image, intrinsics.unsqueeze(0), root, root.clone(), box, box.clone())


@torch.no_grad()
def time_stages(model: Hoisdf, inputs: Sequence[NetworkInput], runs: int) -> dict[str, Timing]:
    """Run the network as the eager backend does and time its stages.

    Args:
        model: In evaluation mode.
        inputs: Crops on the model's device, taken in turn.
        runs: How often, after one run that is not counted.
    """
    rows = [_one_run(model, inputs[max(run, 0) % len(inputs)]) for run in range(-1, runs)][1:]
    return {
        stage: Timing(times) for stage, times in zip(STAGES, zip(*rows, strict=True), strict=True)
    }


@torch.no_grad()
def work_of_stages(model: Hoisdf, inputs: NetworkInput) -> dict[str, Work]:
    """What each stage asks of the machine, as the eager backend runs it."""
    capacity = search_capacity(model, inputs)
    features = model.image_features(inputs.image)
    queries = model.query_points(features, inputs, capacity)
    works = (
        work_of(lambda: model.image_features(inputs.image)),
        work_of(lambda: model.query_points(features, inputs, capacity)),
        work_of(lambda: model.regress(features, queries, inputs)),
    )
    return dict(zip(STAGES, works, strict=True))


def describe_machine(device: str) -> str:
    """Processor or GPU, and how much of it is used."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    count = torch.get_num_threads()
    threads = "1 thread" if count == 1 else f"{count} threads"
    return f"{_processor()}, {threads}, torch {torch.__version__}"


def _one_run(model: Hoisdf, inputs: NetworkInput) -> tuple[float, ...]:
    device = str(inputs.image.device)
    watch, laps = Stopwatch(), []

    def lap() -> None:
        finish(device)
        laps.append(watch.lap())

    features = model.image_features(inputs.image)
    lap()
    queries = model.query_points(features, inputs, search_capacity(model, inputs))
    lap()
    model.regress(features, queries, inputs)
    lap()
    return tuple(laps)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
