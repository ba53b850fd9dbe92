"""The network as one TensorRT engine, by way of Torch-TensorRT, standard or for RTX.

Both have the same import name. The import raises nearly anything where there is no GPU, so it
stands where it is needed.
"""

import importlib
import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from hoisdf_ros.errors import BackendError, reason
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.engine import Run
from hoisdf_ros.runtime.engine_cache import EngineKey
from hoisdf_ros.runtime.exported import Exported, exported
from hoisdf_ros.runtime.flat import INPUT_NAMES, binding_names, input_sizes
from hoisdf_ros.runtime.portable import portable_key

OPTIONS: dict[str, Any] = {
    "require_full_compilation": True,
    "min_block_size": 1,
    "disable_tf32": True,  # what is fp32 is so for a reason
    "immutable_weights": True,
    # the hand decoder's first queries are constants, which the fused attention cannot be given
    "decompose_attention": True,
    "use_explicit_typing": True,  # newer versions do nothing else, and no longer know the word
}
"""What is asked of the compiler, where it knows it: from version to version options come and go."""


def known_options(function: Callable[..., object], options: dict[str, Any]) -> dict[str, Any]:
    """Those of the options that a function has a parameter for."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in known}


def convert(torch_tensorrt: ModuleType, graph: Exported) -> bytes:
    """Compile a graph into one engine.

    Args:
        torch_tensorrt: The module.
        graph: Of the network.

    Raises:
        BackendError: An operator has no counterpart, which is named; or the compiler fails.
    """
    function = torch_tensorrt.dynamo.convert_exported_program_to_serialized_trt_engine
    try:
        content: bytes = function(graph.program, arg_inputs=graph.example, **_options(function))
    except Exception as error:
        raise BackendError(
            f"TensorRT cannot compile the network ({reason(_root(error))}): take backend compiled "
            "or eager"
        ) from error
    return content


def _options(function: Callable[..., object]) -> dict[str, Any]:
    options = known_options(function, OPTIONS)
    if "use_explicit_typing" in options:
        return options
    # the oldest choose among the types that they are allowed, the newest know neither word
    halves = {"enabled_precisions": {torch.float32, torch.float16, torch.bfloat16}}
    return options | known_options(function, halves)


def _root(error: BaseException) -> BaseException:
    """What an error began with: the operator's name, not the whole graph printed."""
    return _root(error.__cause__) if error.__cause__ else error


def installed() -> ModuleType:
    """Torch-TensorRT.

    Raises:
        BackendError: It is missing, or cannot be imported.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("torch_tensorrt")
    except Exception as error:
        raise BackendError(
            f"Torch-TensorRT cannot be imported ({reason(error)}): install torch-tensorrt or "
            "torch-tensorrt-rtx of torch's own version, or take another backend"
        ) from error


@dataclass
class TensorRtMaker:
    """Compiles for the GPU at hand.

    Args:
        network: For serving, on the device.
        network_hash: See `engine_cache.network_hash`.
        precision: fp32, fp16 or bf16.
        device: A GPU.

    Raises:
        BackendError: Torch-TensorRT cannot be used here.
    """

    network: Hoisdf
    network_hash: str
    precision: str
    device: str

    def __post_init__(self) -> None:
        """Find the compiler."""
        self._module = installed()

    def engine_keys(self) -> tuple[EngineKey, ...]:
        """The GPU, its driver, and all versions count; for RTX a portable engine does as well."""
        config, gpu = self.network.config, torch.cuda.get_device_properties(self.device)
        flavour, version = library()
        own = EngineKey(
            kind=flavour,
            preset=config.name,
            precision=self.precision,
            network=self.network_hash,
            inputs=input_sizes(config.image_size),
            processor=f"{gpu.name}, {gpu.major}.{gpu.minor}",
            software=(
                f"{flavour} {version}, torch_tensorrt {self._module.__version__}, "
                f"torch {torch.__version__}, CUDA {torch.version.cuda}, driver {driver()}"
            ),
        )
        if flavour != "tensorrt_rtx":
            return (own,)
        return own, portable_key(config, self.network_hash, self.precision, version)

    def build(self) -> bytes:
        """An engine."""
        return convert(self._module, exported(self.network, self.precision, self.device))

    def load(self, content: bytes) -> Run:
        """Hand it to Torch-TensorRT's runtime."""
        from torch_tensorrt.dynamo import CompilationSettings
        from torch_tensorrt.runtime import TorchTensorRTModule

        device = self._module.Device(self.device if ":" in self.device else f"{self.device}:0")
        try:
            module = TorchTensorRTModule(
                content,
                input_binding_names=list(INPUT_NAMES),
                output_binding_names=binding_names(self.network.config),
                settings=CompilationSettings(device=device),
            )
            _use_cuda_graphs(self._module, module)
        except Exception as error:
            raise BackendError(
                f"the engine cannot be loaded ({reason(error)}): set rebuild_engine, or take "
                "another backend"
            ) from error

        def run(tensors: Sequence[Tensor]) -> list[Tensor]:
            # copied, since the next run may write into the same memory
            return [output.clone() for output in module(*tensors)]

        return run


def library() -> tuple[str, str]:
    """Name and version of the library that Torch-TensorRT works with here."""
    tensorrt = importlib.import_module("tensorrt")  # for RTX an alias that Torch-TensorRT makes
    return getattr(tensorrt, "_package_name", "") or "tensorrt", str(tensorrt.__version__)


def driver() -> str:
    """Version of the GPU's driver, as the kernel module says."""
    try:
        with open("/proc/driver/nvidia/version") as file:  # noqa: PTH123
            return file.readline().strip()
    except OSError:
        return "unknown"


def _use_cuda_graphs(torch_tensorrt: ModuleType, module: Any) -> None:  # noqa: ANN401  foreign
    """One launch for the whole network, the way that this version has it."""
    settings = getattr(torch_tensorrt.runtime, "RuntimeSettings", None)
    if settings is not None and library()[0] == "tensorrt_rtx":
        module.runtime_settings = settings(cuda_graph_strategy="whole_graph_capture")
    else:
        torch_tensorrt.runtime.set_cudagraphs_mode(True)
