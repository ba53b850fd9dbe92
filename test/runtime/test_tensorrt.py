"""Torch-TensorRT compiles every network into one engine, on a machine without a GPU.

The engines are genuine ones of TensorRT-RTX; running them needs a GPU.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from hoisdf_ros.config import PRESETS
from hoisdf_ros.detection.landmarks import LandmarkNetwork
from hoisdf_ros.detection.palm import PalmNetwork
from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.exported import Exported, exported
from hoisdf_ros.runtime.tensorrt import OPTIONS, TensorRtMaker, convert, installed, known_options
from test.runtime.no_gpu import torch_tensorrt_without_gpu
from test.runtime.small import small_serving

pytestmark = pytest.mark.timeout(900)  # half a minute each, on two idle cores


@pytest.fixture
def torch_tensorrt() -> Iterator[ModuleType]:
    """The module, made to work without a GPU."""
    with torch_tensorrt_without_gpu() as module:
        yield module


def network_of(name: str) -> Hoisdf:
    """A preset's network, full size, as it serves."""
    torch.manual_seed(0)
    return serving_copy(Hoisdf(replace(PRESETS[name], sampler="coarse_to_fine")))


def weight_bytes(network: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in network.parameters())


def graph_of(model: nn.Module, *example: Tensor) -> Exported:
    return Exported(torch.export.export(model.eval(), example), example)


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("demo", "fp32"),
        ("demo", "fp16"),
        ("dexycb", "fp32"),
        ("dexycb", "fp16"),
        ("ho3d", "fp16"),
        ("ho3d_render", "fp16"),
    ],
)
def test_a_preset_becomes_one_engine(name: str, precision: str, torch_tensorrt: ModuleType) -> None:
    """One call makes one engine or fails, naming what it cannot convert."""
    network = network_of(name)
    content = convert(torch_tensorrt, exported(network, precision, "cpu"))
    assert len(content) > weight_bytes(network) * (0.9 if precision == "fp32" else 0.45)


@pytest.mark.usefixtures("torch_tensorrt")
@pytest.mark.parametrize("name", ["ho3d", "ho3d_render"])
def test_every_operator_has_a_counterpart(name: str) -> None:
    """The big networks in single precision: as far as the engine itself, which takes memory."""
    supported, total = coverage(exported(network_of(name), "fp32", "cpu"))
    assert supported == total > 1000


def coverage(graph: Exported) -> tuple[int, int]:
    """How many operators of a graph can be converted, and how many there are."""
    from torch_tensorrt.dynamo import CompilationSettings, lowering, partitioning

    settings = CompilationSettings(**known_options(CompilationSettings, OPTIONS))
    program = lowering.pre_export_lowering(graph.program, settings)
    decompositions = lowering.get_decompositions(False, settings.decompose_attention)
    module = program.run_decompositions(decompositions).module()
    lowered = lowering.post_lowering(module, settings)
    supported, total = partitioning.get_graph_converter_support(lowered, set())
    return int(supported), int(total)


def test_the_published_presets_differ_in_name_only() -> None:
    """Else one network would go unbuilt here."""
    assert replace(PRESETS["dexycb_full"], name="dexycb") == PRESETS["dexycb"]
    assert set(PRESETS) == {"dexycb", "dexycb_full", "ho3d", "ho3d_render", "demo"}


@pytest.mark.parametrize(("network", "size"), [(PalmNetwork, 192), (LandmarkNetwork, 224)])
def test_the_hand_detectors_networks_become_engines(
    network: type[nn.Module], size: int, torch_tensorrt: ModuleType
) -> None:
    content = convert(torch_tensorrt, graph_of(network(), torch.rand(1, 3, size, size)))
    assert len(content) > weight_bytes(network()) * 0.9


class Forbidden(nn.Module):
    """Has no counterpart in TensorRT."""

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.cumprod(x, dim=1)


def test_an_operator_without_counterpart_is_named(torch_tensorrt: ModuleType) -> None:
    with pytest.raises(BackendError, match=r"cannot compile the network.*cumprod"):
        convert(torch_tensorrt, graph_of(Forbidden(), torch.rand(1, 8)))


def test_options_that_a_version_lacks_are_left_out() -> None:
    def older(*, disable_tf32: bool = False) -> bool:
        return disable_tf32

    assert known_options(older, OPTIONS) == {"disable_tf32": True}


def test_where_the_import_fails_the_refusal_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch_tensorrt", None)
    with pytest.raises(BackendError, match=r"Torch-TensorRT cannot be imported.*install"):
        TensorRtMaker(small_serving(), "abc", "fp16", "cuda")
    with pytest.raises(BackendError, match="another backend"):
        installed()
