"""Engines built ahead of time."""

from dataclasses import dataclass
from pathlib import Path

from hoisdf_ros.runtime.backend import choose_device
from hoisdf_ros.runtime.choice import Source
from hoisdf_ros.runtime.compiled import CpuMaker
from hoisdf_ros.runtime.engine import Maker, Say, build, compared
from hoisdf_ros.runtime.engine_cache import Engine, store
from hoisdf_ros.runtime.portable import PortableMaker
from hoisdf_ros.runtime.tensorrt import TensorRtMaker
from hoisdf_ros.runtime.threads import use_threads


@dataclass(frozen=True)
class Built:
    """An engine and where it is kept."""

    engine: Engine
    path: Path


def build_ahead(source: Source, *, portable: bool, say: Say) -> Built:
    """Build and keep the engine of the fastest backend that has one.

    Args:
        source: What is to be run; its policy says where engines are kept.
        portable: For GPUs that are not here.
        say: Is told what takes long.

    Raises:
        BackendError: It cannot be built, or does not answer as the network does.
    """
    maker = _maker(source, portable=portable)
    engine = build(maker, say)
    if not portable:
        say("comparing it with the network itself")
        engine, _ = compared(maker, engine)
    return Built(engine, store(source.policy.directory, engine))


def _maker(source: Source, *, portable: bool) -> Maker:
    device = "cpu" if portable else choose_device(source.config.device)
    precision = source.precision("cuda" if portable else device)
    served = source.static(device, rows=device == "cpu" and not portable)
    known = source.hash(served)
    if portable:
        return PortableMaker(served, known, precision)
    if device == "cpu":
        use_threads(source.network, source.config.cpu_threads)  # the code is made for so many
        return CpuMaker(served, known, precision)
    return TensorRtMaker(served, known, precision, device)
