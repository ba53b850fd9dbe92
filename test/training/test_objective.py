"""The total of the loss: what is known counts, what is unknown does not, NaN never gets in."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.data.augment import Variation
from hoisdf_ros.data.sample import Sample, SampleSet
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.training.batch import Batch, ExampleMaker, collate
from hoisdf_ros.training.losses import WEIGHTS
from hoisdf_ros.training.objective import Objective, QueryPlan, plan_queries

NEAR, FOUND = QueryPlan(near=True, jitter=0.03), QueryPlan(near=False)
POSE_ONLY = {"vertices", "mano_joints", "rotations"}


def batch_of(maker: ExampleMaker, samples: list[Sample]) -> Batch:
    rng = np.random.default_rng(0)
    return collate([maker(sample, Variation(), rng) for sample in samples])


def objective(maker: ExampleMaker, config: NetworkConfig) -> Objective:
    torch.manual_seed(0)
    return Objective(Hoisdf(config), maker.hand_model).eval()


@pytest.mark.parametrize("plan", [NEAR, FOUND])
def test_the_total_is_the_weighted_sum_and_reaches_every_parameter(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig, plan: QueryPlan
) -> None:
    module = objective(maker, tiny).train()
    total, terms = module(batch_of(maker, [noise[0], noise[2]]), plan)
    assert set(terms) == set(WEIGHTS) - {"shape_prior"}
    expected = sum(WEIGHTS[name] * float(value) for name, value in terms.items())
    assert total.item() == pytest.approx(expected, rel=1e-5)
    total.backward()
    silent = [
        name
        for name, parameter in module.network.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all()
    ]
    assert not silent


def test_inverse_kinematics_trains_the_shape_alone(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    module = objective(maker, replace(tiny, hand_head="inverse_kinematics"))
    assert set(module(batch_of(maker, [noise[0]]), NEAR).terms) == set(WEIGHTS) - POSE_ONLY


@pytest.mark.parametrize("plan", [NEAR, FOUND])
def test_a_sample_without_labels_adds_nothing(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig, plan: QueryPlan
) -> None:
    """The two samples' joint terms are the first one's alone, and no gradient is NaN."""
    module = objective(maker, tiny)
    bare = replace(
        noise[1],
        joints=None,
        mano=None,
        object_rotation=None,
        object_translation=None,
        hand_mask=None,
        object_mask=None,
    )
    torch.manual_seed(0)
    alone = module(batch_of(maker, [noise[0]]), replace(plan, jitter=0.0))
    torch.manual_seed(0)
    both = module(batch_of(maker, [noise[0], bare]), replace(plan, jitter=0.0))
    assert both.terms.keys() == alone.terms.keys()
    for name, value in alone.terms.items():
        torch.testing.assert_close(both.terms[name], value, rtol=2e-4, atol=1e-5)
    both.total.backward()
    assert all(p.grad.isfinite().all() for p in module.parameters() if p.grad is not None)


def test_terms_without_any_label_are_left_out(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    bare = replace(noise[0], object_rotation=None, object_translation=None, object_mask=None)
    terms = objective(maker, tiny)(batch_of(maker, [bare]), FOUND).terms
    lost = {"object_rotation", "object_translation", "object_sdf", "object_mask"}
    assert set(terms) == set(WEIGHTS) - lost - {"shape_prior"}


def test_terms_can_be_weighed_anew_and_those_of_the_image_taken_alone(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    module, batch = objective(maker, tiny), batch_of(maker, [noise[0]])
    usual = module(batch, replace(NEAR, jitter=0.0))
    weighed = Objective(module.network, module.hand_model, emphasis={"heatmap": 3.0})
    more = weighed.train(module.training)(batch, replace(NEAR, jitter=0.0))
    added = 2 * WEIGHTS["heatmap"] * usual.terms["heatmap"]
    torch.testing.assert_close(more.total, usual.total + added)
    image = Objective(module.network, module.hand_model, image_only=True)
    alone = image.train(module.training)(batch, NEAR)
    assert set(alone.terms) == {"heatmap", "hand_mask", "object_mask"}
    expected = sum(WEIGHTS[name] * usual.terms[name] for name in alone.terms)
    torch.testing.assert_close(alone.total, torch.as_tensor(expected))


def test_bfloat16_stays_in_the_backbone(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    module = objective(maker, tiny)
    batch = batch_of(maker, [noise[0]])
    exact = module(batch, replace(NEAR, jitter=0.0))
    module.mixed = True
    mixed = module(batch, replace(NEAR, jitter=0.0))
    assert mixed.total.dtype == torch.float32
    torch.testing.assert_close(mixed.total, exact.total, rtol=0.05, atol=0)
    assert mixed.total != exact.total


def test_true_points_come_first_and_are_jittered_more_as_an_epoch_passes() -> None:
    rng = np.random.default_rng(0)
    plans = [plan_queries(done, 40, 0.4, rng) for done in (0.0, 3.29, 3.31, 39.69, 39.71)]
    assert [plan.jitter for plan in plans] == [0.03, 0.03, 0.05, 0.05, 0.07]
    assert all(plan.near for plan in plans)
    later = [plan_queries(40.0, 40, 0.4, rng).near for _ in range(2000)]
    assert np.mean(later) == pytest.approx(0.4, abs=0.04)
