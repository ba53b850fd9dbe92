"""The network as plain tensors, there and back."""

import pytest
import torch

from hoisdf_ros.config import PRESETS
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.accuracy import probes
from hoisdf_ros.runtime.flat import (
    INPUT_NAMES,
    FlatNetwork,
    batched,
    binding_names,
    flattened,
    input_sizes,
    one_by_one,
    restored,
)
from test.runtime.small import CONFIG, small_serving


def test_outputs_come_back_as_they_were() -> None:
    network, inputs = small_serving(), probes(CONFIG.image_size, "cpu")[0]
    with torch.no_grad():
        output, tensors = network(inputs), FlatNetwork(network)(*inputs)
    again = restored(tensors)
    torch.testing.assert_close(again, output)
    assert all(a is b for a, b in zip(flattened(again), tensors, strict=True))
    assert [tuple(value.shape) for value in inputs] == list(input_sizes(CONFIG.image_size))
    assert len(INPUT_NAMES) == len(inputs)
    assert len(tensors) == len(binding_names(CONFIG))


def test_a_network_without_rotations_has_one_output_less() -> None:
    config = PRESETS["ho3d_render"]
    with torch.device("meta"):
        network = Hoisdf(config)
        inputs = [torch.empty(sizes) for sizes in input_sizes(config.image_size)]
        tensors = FlatNetwork(network)(*inputs)
    assert len(tensors) == len(binding_names(config)) == len(binding_names(CONFIG)) - 1
    assert restored(tensors).hand.rotations is None
    assert restored(tensors).hand.shape is tensors[-5]


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_is_the_sum_of_its_entries(count: int) -> None:
    parts = probes(CONFIG.image_size, "cpu")[:count]
    whole = batched(parts)
    assert len(whole[0]) == count
    for entry, part in zip(one_by_one(type(parts[0])(*whole)), parts, strict=True):
        torch.testing.assert_close(entry, part)
