"""One TensorRT-RTX engine for every GPU from Ampere on, built on a machine without one.

By way of ONNX and TensorRT-RTX's own parser, since Torch-TensorRT cannot be imported without a
GPU. The engine is loaded like any other and compared with the network when a GPU first loads it.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import torch

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.errors import BackendError, reason
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.engine import Run
from hoisdf_ros.runtime.engine_cache import EngineKey
from hoisdf_ros.runtime.exported import exported
from hoisdf_ros.runtime.flat import INPUT_NAMES, binding_names, input_sizes

_ADVICE = "install tensorrt-rtx, onnx and onnxscript"


@dataclass
class PortableMaker:
    """Compiles for GPUs that need not be here.

    Args:
        network: For serving.
        network_hash: See `engine_cache.network_hash`.
        precision: fp32, fp16 or bf16.
        device: Where the network is exported.

    Raises:
        BackendError: TensorRT-RTX is not installed.
    """

    network: Hoisdf
    network_hash: str
    precision: str
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Find the compiler."""
        try:
            import tensorrt_rtx
        except Exception as error:
            raise BackendError(
                f"TensorRT-RTX cannot be imported ({reason(error)}): {_ADVICE}"
            ) from error
        self._trt: Any = tensorrt_rtx

    def engine_keys(self) -> tuple[EngineKey, ...]:
        """TensorRT-RTX's version counts, the GPU does not."""
        config, version = self.network.config, str(self._trt.__version__)
        return (portable_key(config, self.network_hash, self.precision, version),)

    def build(self) -> bytes:
        """An engine."""
        return self._engine(self._onnx())

    def load(self, content: bytes) -> Run:
        """Not here: Torch-TensorRT loads it where there is a GPU."""
        raise BackendError(f"a portable engine ({len(content)} bytes) needs a GPU to run")

    def _onnx(self) -> bytes:
        graph = exported(self.network, self.precision, self.device)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torch, about its own functions
                program = torch.onnx.export(
                    graph.program,
                    dynamo=True,
                    verbose=False,
                    input_names=list(INPUT_NAMES),
                    output_names=binding_names(self.network.config),
                )
        except Exception as error:
            raise BackendError(
                f"the network cannot be written as ONNX ({reason(error)}): {_ADVICE}"
            ) from error
        assert program is not None
        content: bytes = program.model_proto.SerializeToString()
        return content

    def _engine(self, onnx: bytes) -> bytes:
        trt = self._trt
        logger = trt.Logger(trt.Logger.ERROR)
        builder = trt.Builder(logger)
        definition = builder.create_network()
        parser = trt.OnnxParser(definition, logger)
        if not parser.parse(onnx):
            errors = "; ".join(parser.get_error(i).desc() for i in range(parser.num_errors))
            raise BackendError(f"TensorRT-RTX does not take the network: {errors}")
        content = builder.build_serialized_network(definition, builder.create_builder_config())
        if content is None:
            raise BackendError("TensorRT-RTX built no engine; its own message stands above")
        return bytes(content)


def portable_key(
    config: NetworkConfig, network_hash: str, precision: str, version: str
) -> EngineKey:
    """What a portable engine is known by.

    Args:
        config: Of the network.
        network_hash: See `engine_cache.network_hash`.
        precision: fp32, fp16 or bf16.
        version: Of TensorRT-RTX.
    """
    return EngineKey(
        kind="tensorrt_rtx",
        preset=config.name,
        precision=precision,
        network=network_hash,
        inputs=input_sizes(config.image_size),
        processor="any GPU of compute capability 8.0 or newer",
        software=f"tensorrt_rtx {version}",
    )
