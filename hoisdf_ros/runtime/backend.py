"""Ways to run the network behind one protocol."""

import time
from dataclasses import dataclass
from typing import Protocol

import torch

from hoisdf_ros.errors import BackendError, reason
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Hoisdf


class Backend(Protocol):
    """Runs the network; `name`, `precision` and `device` say what is in effect."""

    name: str
    precision: str
    device: str

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

    def __post_init__(self) -> None:
        """Move the network and stop it from training."""
        self.model = self.model.eval().to(self.device)

    @torch.no_grad()
    def __call__(self, inputs: NetworkInput) -> NetworkOutput:
        """One forward pass."""
        output: NetworkOutput = self.model(inputs)
        return output


def choose_device(wanted: str) -> str:
    """The device to run on.

    Args:
        wanted: ``auto``, ``cpu``, ``cuda`` or ``cuda:<index>``.

    Raises:
        BackendError: The device does not exist here.
    """
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise BackendError(
            f"device '{wanted}': {reason(error)}; expected auto, cpu or a CUDA device of this "
            "machine"
        ) from error
    return wanted


def make_backend(model: Hoisdf, kind: str, device: str) -> Backend:
    """The backend called ``kind``; ``auto`` takes the fastest one there is."""
    if kind not in ("auto", "eager"):
        raise BackendError(f"backend '{kind}': expected auto or eager")
    return EagerBackend(model, choose_device(device))


class Stopwatch:
    """Milliseconds since the last lap."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def lap(self) -> float:
        """Milliseconds since the last call, or since the start."""
        now = time.perf_counter()
        elapsed, self._last = (now - self._last) * 1e3, now
        return elapsed
