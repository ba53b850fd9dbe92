"""Ways to run the network behind one protocol."""

import re
import time
from dataclasses import dataclass
from typing import Protocol

import torch

from hoisdf_ros.errors import BackendError, reason
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Capacity, Hoisdf

_STEPS = 64
"""The lattice is evaluated in so many steps at most, none of fewer points than this."""

_CUDA = re.compile(r"cuda(:\d+)?")


class Backend(Protocol):
    """Runs the network; `name`, `precision` and `device` say what is in effect.

    `notes` say which engine runs, and why it is not another backend that does.
    """

    name: str
    precision: str
    device: str
    notes: tuple[str, ...]

    def __call__(self, inputs: NetworkInput) -> NetworkOutput:
        """One forward pass, inputs and outputs on `device`."""
        ...


@dataclass
class EagerBackend:
    """PyTorch as it is: slow to nothing to build, the reference of every other backend.

    Args:
        model: The network, weights loaded.
        device: Where it runs.
    """

    model: Hoisdf
    device: str
    name: str = "eager"
    precision: str = "fp32"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Move the network and stop it from training."""
        self.model = self.model.eval().to(self.device)

    @torch.no_grad()
    def __call__(self, inputs: NetworkInput) -> NetworkOutput:
        """One forward pass over the points that the boxes hold, with the dense search's result."""
        output: NetworkOutput = self.model(inputs, search_capacity(self.model, inputs))
        return output


def search_capacity(model: Hoisdf, inputs: NetworkInput) -> Capacity | None:
    """How many points each field must evaluate for the dense search to be exact.

    The numbers follow from the boxes and are known before the network runs; whole steps keep
    the number of different shapes small.

    Args:
        model: The network.
        inputs: The crops.

    Returns:
        None for the coarse-to-fine search, whose budgets are fixed.
    """
    config = model.config
    if config.sampler != "dense":
        return None
    step, most = max(_STEPS, config.lattice_size**3 // _STEPS), config.lattice_size**3
    kept = (config.hand_points, config.object_points)
    inside = model.points_in_boxes(inputs).amax(dim=1).tolist()
    needed = [max(pair) for pair in zip(inside, kept, strict=True)]
    return Capacity(*(min(-(-count // step) * step, most) for count in needed))


def choose_device(wanted: str) -> str:
    """The device to run on.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.

    Raises:
        BackendError: The device does not exist here.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if wanted == "cpu":
        return wanted
    if not _CUDA.fullmatch(wanted):
        raise BackendError(f"device '{wanted}': expected auto, cpu, cuda or cuda:<index>")
    if int(wanted.partition(":")[2] or 0) >= count:
        raise BackendError(
            f"device '{wanted}': torch finds {count} CUDA devices here; expected auto, cpu or one "
            "of them, counted from cuda:0"
        )
    try:
        torch.empty(1, device=wanted)
    except RuntimeError as error:
        raise BackendError(
            f"device '{wanted}' cannot be used ({reason(error)}): free it or take another"
        ) from error
    return wanted


def describe(backend: Backend) -> str:
    """What runs, in one line for a log."""
    return "; ".join((f"{backend.name}, {backend.precision}, on {backend.device}", *backend.notes))


class Stopwatch:
    """Milliseconds since the last lap."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last call, or since the start."""
        now = time.perf_counter()
        elapsed, self._last = (now - self._last) * 1e3, now
        return elapsed
