"""The whole network: shapes, batches, and that it exports without a branch on data."""

from dataclasses import replace

import pytest
import torch

from hoisdf_ros.config import PRESETS, NetworkConfig
from hoisdf_ros.network.io import NetworkInput
from hoisdf_ros.network.model import Hoisdf

WEIGHT = "layers.0.weight"
NETWORKS = sorted({replace(config, name=""): name for name, config in PRESETS.items()}.values())
"""A preset for every different network: ``dexycb`` and ``dexycb_full`` are one."""


def some_input(batch: int = 1, seed: int = 0) -> NetworkInput:
    """A crop of noise with a hand half a metre away."""
    generator = torch.Generator().manual_seed(seed)
    intrinsics = torch.tensor([[480.0, 0.0, 128.0], [0.0, 480.0, 128.0], [0.0, 0.0, 1.0]])
    root = torch.tensor([[0.02, -0.01, 0.5]]) + 0.01 * torch.rand(batch, 3, generator=generator)
    return NetworkInput(
        torch.rand(batch, 3, 256, 256, generator=generator),
        intrinsics.expand(batch, 3, 3),
        root,
        root + 0.03,
        torch.tensor([[60.0, 50.0, 190.0, 180.0]]).expand(batch, 4),
        torch.tensor([[80.0, 70.0, 220.0, 200.0]]).expand(batch, 4),
    )


def thinned(config: NetworkConfig) -> NetworkConfig:
    """The same network on a coarse lattice, which a test can afford."""
    return replace(config, lattice_size=10, hand_points=60, object_points=40)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_preset_exports_with_static_shapes_and_equals_eager(name: str) -> None:
    torch.manual_seed(0)
    config = thinned(PRESETS[name])
    model = Hoisdf(config).eval()
    inputs = some_input()
    with torch.no_grad():
        exported = torch.export.export(model, (inputs,)).module()
        eager, again = model(inputs), exported(inputs)
    assert eager.joints.joints.shape == (1, 20, 3)
    assert eager.queries.hand.points.shape == (1, config.hand_points, 3)
    assert (eager.hand.rotations is None) == (PRESETS[name].hand_head != "mano")
    torch.testing.assert_close(again, eager, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_preset_exports_at_full_size(name: str) -> None:
    model = Hoisdf(PRESETS[name]).eval()
    with torch.no_grad():
        program = torch.export.export(model, (some_input(),))
    assert not program.range_constraints  # nothing depends on a value or a free size


@torch.no_grad()
def test_a_batch_is_its_entries() -> None:
    torch.manual_seed(1)
    model = Hoisdf(thinned(PRESETS["demo"])).eval()
    pair = some_input(batch=2)
    both = model(pair)
    for entry in range(2):
        alone = model(NetworkInput(*(value[entry : entry + 1] for value in pair)))
        torch.testing.assert_close(
            both.joints.joints[entry], alone.joints.joints[0], rtol=1e-3, atol=1e-4
        )


def test_supervision_ends_with_what_serving_gives() -> None:
    torch.manual_seed(2)
    model = Hoisdf(thinned(PRESETS["demo"])).eval()
    inputs = some_input()
    with torch.no_grad():
        features = model.image_features(inputs.image)
        queries = model.query_points(features, inputs)
        joints, hand, held = model.regress(features, queries, inputs)
        layers = model.supervise(features, queries, inputs)
    assert len(layers.joints) == PRESETS["demo"].hand_encoder_layers
    torch.testing.assert_close(layers.joints[-1], joints)
    torch.testing.assert_close(layers.hand[-1], hand)
    torch.testing.assert_close(layers.object[-1], held)


def test_tokens_of_the_other_field_carry_no_gradient() -> None:
    torch.manual_seed(3)
    model = Hoisdf(thinned(PRESETS["demo"])).eval()
    inputs = some_input()
    features = model.image_features(inputs.image)
    queries = model.query_points(features, inputs)
    hand_tokens, _ = model.point_tokens(features, queries, inputs)
    own = queries.hand.points.shape[1]
    assert own < hand_tokens.shape[1]
    (gradient,) = torch.autograd.grad(
        hand_tokens[:, own:].sum() + 0 * hand_tokens.sum(), model.token_input.get_parameter(WEIGHT)
    )
    assert not gradient.any()
