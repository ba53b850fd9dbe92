"""The network that serves against the network that was trained."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from hoisdf_ros.bench.latency import synthetic_input
from hoisdf_ros.config import PRESETS
from hoisdf_ros.network.io import joined
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.search_budget import SearchBudget

SMALL = replace(
    PRESETS["demo"],
    lattice_size=12,
    hand_points=60,
    object_points=40,
    hand_search=SearchBudget(216, (150,)),
    object_search=SearchBudget(216, (150,)),
)


def _lived_in() -> Hoisdf:
    """A network whose norms have seen something."""
    torch.manual_seed(0)
    model = Hoisdf(SMALL).eval()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            for value, low in (
                (part.running_mean, -0.3),
                (part.running_var, 0.5),
                (part.weight, 0.5),
                (part.bias, -0.3),
            ):
                assert value is not None
                nn.init.uniform_(value, low, low + 0.6)
    for name, parameter in model.named_parameters():
        if name.endswith("original0"):  # lengths of the normalised weights
            nn.init.uniform_(parameter, 0.5, 1.5)
    return model


@pytest.mark.parametrize("rows", [False, True])
@torch.no_grad()
def test_serves_what_was_trained(rows: bool) -> None:
    model = _lived_in()
    inputs = joined([synthetic_input(SMALL.image_size, seed) for seed in range(2)])
    before = copy.deepcopy(model.state_dict())
    expected = model(inputs)
    served = serving_copy(model, rows=rows)
    torch.testing.assert_close(served(inputs), expected, rtol=1e-3, atol=1e-5)
    again = model(inputs)
    torch.testing.assert_close(again, expected, rtol=0, atol=0)
    assert before.keys() == model.state_dict().keys()


@torch.no_grad()
def test_nothing_is_left_to_fold() -> None:
    served = serving_copy(_lived_in())
    folded = [part for part in served.modules() if isinstance(part, nn.BatchNorm2d)]
    assert not folded
    assert not any("parametrizations" in name for name in served.state_dict())
    assert served.hand_decoder.start is not None
    assert not any(parameter.requires_grad for parameter in served.parameters())


@torch.no_grad()
def test_coarse_to_fine_with_room_enough_answers_like_dense() -> None:
    model = _lived_in()
    inputs = joined([synthetic_input(SMALL.image_size, seed) for seed in range(2)])
    dense = model(inputs)
    fast = serving_copy(model, "coarse_to_fine")(inputs)
    torch.testing.assert_close(fast.queries.hand.sdf.abs(), dense.queries.hand.sdf.abs())
    torch.testing.assert_close(fast.joints.joints, dense.joints.joints, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(
        fast.object.translation, dense.object.translation, rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("name", ["demo", "dexycb"])
@torch.no_grad()
def test_coarse_to_fine_exports_as_one_graph(name: str) -> None:
    """Without what TensorRT lacks: masks, data-dependent shapes, a sort, a best of too many."""
    served = serving_copy(Hoisdf(PRESETS[name]).eval(), "coarse_to_fine")
    program = torch.export.export(served, (synthetic_input(PRESETS[name].image_size),))
    assert not program.range_constraints
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    used = {str(node.target) for node in calls}
    lacking = ("nonzero", "masked_select", "sort", "cross", "svd", "max.dim", "embedding_bag")
    assert not [target for target in used if any(word in target for word in lacking)]
    chosen = [node.args[1] for node in calls if "topk" in str(node.target)]
    assert len(chosen) == 2 * (2 + len(served.config.hand_search.kept))
    assert all(isinstance(count, int) and count <= 3840 for count in chosen)
