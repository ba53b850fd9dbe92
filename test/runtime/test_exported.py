"""Every network is one graph of plain operators, which answers as the network does."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from hoisdf_ros.config import PRESETS
from hoisdf_ros.detection.landmarks import LandmarkNetwork
from hoisdf_ros.detection.palm import PalmNetwork
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.accuracy import probes
from hoisdf_ros.runtime.exported import exported
from hoisdf_ros.runtime.flat import FlatNetwork
from test.runtime.small import small_serving


def assert_same(found: object, expected: object) -> None:
    """To the last bit."""
    torch.testing.assert_close(found, expected, atol=0.0, rtol=0.0)


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_graph_answers_as_the_network_does(name: str) -> None:
    torch.manual_seed(0)
    network = serving_copy(Hoisdf(replace(PRESETS[name], sampler="coarse_to_fine")))
    graph = exported(network, "fp32", "cpu")
    other = tuple(probes(network.config.image_size, "cpu")[1])
    with torch.no_grad():
        expected, found = FlatNetwork(network)(*other), graph.program.module()(*other)
    assert_same(found, expected)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_is_in_the_graph(precision: str) -> None:
    network = small_serving()
    graph = exported(network, precision, "cpu")
    fp32 = exported(network, "fp32", "cpu")
    casts = [
        sum(node.target is torch.ops.aten.to.dtype for node in made.program.graph.nodes)
        for made in (graph, fp32)
    ]
    assert casts[0] > 20 + casts[1]


def test_nothing_breaks_the_graph() -> None:
    """Dynamo, which reads the code itself, finds no Python that it would have to leave to it."""
    network = small_serving()
    flat, example = FlatNetwork(network), tuple(probes(network.config.image_size, "cpu")[0])
    graph = torch.export.export(flat, example, strict=True)
    with torch.no_grad():
        assert_same(graph.module()(*example), flat(*example))


@pytest.mark.parametrize(("network", "size"), [(PalmNetwork, 192), (LandmarkNetwork, 224)])
def test_the_hand_detectors_networks_are_graphs(network: type[nn.Module], size: int) -> None:
    torch.manual_seed(0)
    model = network().eval()
    image = torch.rand(1, 3, size, size)
    graph = torch.export.export(model, (image,), strict=True)
    with torch.no_grad():
        found: tuple[Tensor, ...] = graph.module()(image)
        assert_same(found, model(image))
