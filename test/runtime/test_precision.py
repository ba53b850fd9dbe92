"""Half precision where it is cheap, single where it counts."""

import pytest
import torch

from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.accuracy import LIMITS, check, differences, probes
from hoisdf_ros.runtime.precision import TYPES, in_precision
from test.runtime.small import CONFIG, small_network, small_serving


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_matrix_products_are_half_and_the_rest_is_not(precision: str) -> None:
    network = small_serving()
    mixed = in_precision(network, precision)
    types = {name: value.dtype for name, value in mixed.named_parameters()}
    half = {name for name, dtype in types.items() if dtype == TYPES[precision]}
    assert {name for name, dtype in types.items() if dtype == torch.float32} == set(types) - half
    kept = ("hand_field.output", "object_field.output", "joint_head", "hand_head", "object_head")
    assert not any(name.startswith((*kept, "hand_density")) or "norm" in name for name in half)
    assert {name.partition(".")[0] for name in half} == {
        *("backbone", "decoder", "field_input", "token_input", "hand_field", "object_field"),
        *("hand_encoder", "object_encoder", "hand_decoder"),
    }
    assert all(value.dtype == torch.float32 for value in network.parameters())


def test_every_stage_and_both_fields_can_be_asked_alone() -> None:
    network = small_serving()
    mixed = in_precision(serving_copy(small_network(), rows=True), "bf16")
    inputs = probes(CONFIG.image_size, "cpu")[0]
    features = mixed.image_features(inputs.image)
    queries = mixed.query_points(features, inputs)
    joints, _, held = mixed.regress(features, queries, inputs)
    assert joints.joints.dtype == held.rotation.dtype == torch.float32
    points = network.lattice[None]
    for name in ("hand_distance", "object_distance"):
        found = getattr(mixed, name)(points, features, inputs)
        exact = getattr(network, name)(points, network.image_features(inputs.image), inputs)
        torch.testing.assert_close(found, exact, atol=0.02, rtol=0.0)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_answers_nearly_alike(precision: str) -> None:
    network = small_serving()
    found = differences(network, in_precision(network, precision), probes(CONFIG.image_size, "cpu"))
    check(found, precision)
    assert found["mask"] > 0  # it did compute in another precision


def test_single_precision_is_the_network_itself() -> None:
    network = small_serving()
    assert in_precision(network, "fp32") is network
    assert set(LIMITS) == set(TYPES)
