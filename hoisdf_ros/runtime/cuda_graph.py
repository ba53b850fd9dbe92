"""The network on a GPU as one recorded sequence of kernels, without a compiler."""

from collections.abc import Sequence

import torch
from torch import Tensor

from hoisdf_ros.errors import BackendError, reason
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.accuracy import compare, probes
from hoisdf_ros.runtime.engine import EngineBackend, Run
from hoisdf_ros.runtime.flat import FlatNetwork
from hoisdf_ros.runtime.precision import in_precision

_WARM_UPS = 3


def record(network: Hoisdf, precision: str, device: str) -> Run:
    """Record the network's kernels for one crop, to be replayed at once.

    Args:
        network: For serving, with static shapes, on the device.
        precision: fp32, fp16 or bf16.
        device: A GPU.
    """
    flat = FlatNetwork(in_precision(network, precision)).eval()
    fixed = [tensor.clone() for tensor in probes(network.config.image_size, device)[0]]
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.device(device):
        beside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UPS):  # libraries choose their kernels and take their memory
                flat(*fixed)
        torch.cuda.current_stream().wait_stream(beside)
        with torch.cuda.graph(graph):
            outputs = flat(*fixed)

    def run(tensors: Sequence[Tensor]) -> list[Tensor]:
        for place, tensor in zip(fixed, tensors, strict=True):
            place.copy_(tensor)
        graph.replay()
        return [output.clone() for output in outputs]  # the next run writes into the same memory

    return run


def cuda_graph_backend(network: Hoisdf, precision: str, device: str) -> EngineBackend:
    """The backend ``compiled`` on a GPU.

    Args:
        network, precision, device: See `record`.

    Raises:
        BackendError: The network cannot be recorded, or answers otherwise than eagerly.
    """
    try:
        run = record(network, precision, device)
    except RuntimeError as error:
        raise BackendError(
            f"backend 'compiled' cannot record the network ({reason(error)}): take backend eager"
        ) from error
    backend = EngineBackend("compiled", precision, device, run)
    compare(network, backend, precision, device)
    backend.notes = ("CUDA graph",)
    return backend
