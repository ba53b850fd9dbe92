"""The network compiled ahead of time for the CPU, by torch's own compiler."""

import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from hoisdf_ros.errors import BackendError, reason
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.engine import Run
from hoisdf_ros.runtime.engine_cache import EngineKey
from hoisdf_ros.runtime.exported import exported
from hoisdf_ros.runtime.flat import input_sizes

_COMPILERS = ("g++", "clang++")


@dataclass
class CpuMaker:
    """Compiles for the CPU at hand.

    Args:
        network: For serving.
        network_hash: See `engine_cache.network_hash`.
    """

    network: Hoisdf
    network_hash: str
    precision: str = "fp32"
    device: str = "cpu"

    def engine_keys(self) -> tuple[EngineKey, ...]:
        """The processor's name and instruction set count, and torch."""
        config = self.network.config
        own = EngineKey(
            kind="inductor",
            preset=config.name,
            precision=self.precision,
            network=self.network_hash,
            inputs=input_sizes(config.image_size),
            processor=f"{processor_name()}, {torch.backends.cpu.get_cpu_capability()}",
            software=f"torch {torch.__version__}",
        )
        return (own,)

    def build(self) -> bytes:
        """A package of machine code and weights."""
        if not any(map(shutil.which, _COMPILERS)):
            raise BackendError(
                "backend 'compiled' needs a C++ compiler, and there is none here: install g++, or "
                "take backend eager"
            )
        from torch._inductor import aoti_compile_and_package

        graph = exported(self.network, self.precision, self.device)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about its own functions
            path = str(Path(folder) / "network.pt2")
            try:
                aoti_compile_and_package(
                    graph.program, package_path=path, inductor_configs={"freezing": True}
                )
            except Exception as error:
                raise BackendError(
                    f"backend 'compiled' failed ({reason(error)}): take backend eager"
                ) from error
            return Path(path).read_bytes()

    def load(self, content: bytes) -> Run:
        """Unpack and link it."""
        from torch._inductor import aoti_load_package

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.pt2"
            path.write_bytes(content)
            try:
                loaded = aoti_load_package(str(path))
            except Exception as error:
                raise BackendError(
                    f"the compiled network cannot be loaded ({reason(error)}): set rebuild_engine"
                ) from error
        return lambda tensors: loaded(*tensors)


def processor_name() -> str:
    """As the operating system has it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "CPU part")):
            return line.partition(":")[2].strip()
    return "unknown"
