"""Time of the network's three stages, which are those that the paper times (Sec. 3)."""

import platform
import statistics
from dataclasses import dataclass
from pathlib import Path

import torch

from hoisdf_ros.network.io import NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import Stopwatch, search_capacity

STAGES = ("image features", "query points", "attention and regression")

PAPER_MS = (10.6, 11.5, 10.9)
"""The same on a TITAN RTX (supplementary, Sec. 3); milliseconds."""


@dataclass(frozen=True)
class StageTiming:
    """Wall times of one stage.

    Args:
        stage: Its name.
        milliseconds: One entry a run, in order.
    """

    stage: str
    milliseconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.milliseconds)


def synthetic_input(size: int, seed: int = 0) -> NetworkInput:
    """A crop of noise with boxes half as wide as itself, and a hand half a metre away.

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
def time_stages(model: Hoisdf, inputs: NetworkInput, runs: int) -> list[StageTiming]:
    """Run the network as the eager backend does and time its stages.

    Args:
        model: In evaluation mode.
        inputs: One crop, on the model's device.
        runs: How often, after one run that is not counted.
    """
    rows = [_one_run(model, inputs) for _ in range(runs + 1)][1:]
    return [StageTiming(s, times) for s, times in zip(STAGES, zip(*rows, strict=True), strict=True)]


def describe_machine(device: str) -> str:
    """Processor or GPU, and how much of it is used."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} threads, torch {torch.__version__}"


def _one_run(model: Hoisdf, inputs: NetworkInput) -> tuple[float, ...]:
    watch = Stopwatch()
    features = model.image_features(inputs.image)
    first = _lap(watch, inputs)
    queries = model.query_points(features, inputs, search_capacity(model, inputs))
    second = _lap(watch, inputs)
    model.regress(features, queries, inputs)
    return first, second, _lap(watch, inputs)


def _lap(watch: Stopwatch, inputs: NetworkInput) -> float:
    if inputs.image.is_cuda:
        torch.cuda.synchronize()  # the GPU works behind the program's back
    return watch.lap()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
