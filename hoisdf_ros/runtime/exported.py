"""The network as one graph of plain operators: what every compiler starts from."""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.accuracy import probes
from hoisdf_ros.runtime.flat import FlatNetwork
from hoisdf_ros.runtime.precision import in_precision


@dataclass(frozen=True, eq=False)
class Exported:
    """A network's graph for one crop.

    Args:
        program: The graph.
        example: Tensors that it can be called with.
    """

    program: torch.export.ExportedProgram
    example: tuple[Tensor, ...]


@torch.no_grad()
def exported(network: Hoisdf, precision: str, device: str) -> Exported:
    """Export a network.

    Args:
        network: For serving, on the device.
        precision: fp32, fp16 or bf16; see `in_precision`.
        device: Where the graph is to run.
    """
    flat = FlatNetwork(in_precision(network, precision)).eval()
    example = tuple(probes(network.config.image_size, device)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about its own functions
        return Exported(torch.export.export(flat, example, strict=False), example)
