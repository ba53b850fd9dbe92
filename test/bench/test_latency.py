"""The stage timer: it times what the network does, and says how much that is."""

from dataclasses import replace

import pytest

from hoisdf_ros.bench import scaling
from hoisdf_ros.bench.latency import STAGES, synthetic_input, time_stages, work_of_stages
from hoisdf_ros.bench.scaling import (
    HANDS,
    cost_of_hands,
    cost_of_lattice,
    points_evaluated,
    variant,
)
from hoisdf_ros.config import PRESETS
from hoisdf_ros.network.io import NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import EagerBackend, search_capacity

SIZE = 128


@pytest.fixture(scope="module")
def model() -> Hoisdf:
    config = replace(PRESETS["demo"], lattice_size=12, hand_points=20, object_points=10)
    return Hoisdf(config).eval()


@pytest.fixture(scope="module")
def crop() -> NetworkInput:
    return synthetic_input(SIZE)


def test_counts_the_runs_of_every_stage_but_the_first(model: Hoisdf, crop: NetworkInput) -> None:
    timings = time_stages(model, [crop, crop], runs=3)
    assert tuple(timings) == STAGES
    assert all(len(timing.milliseconds) == 3 for timing in timings.values())
    assert all(timing.median > 0 for timing in timings.values())


def test_counts_the_work_of_every_stage(model: Hoisdf, crop: NetworkInput) -> None:
    works = work_of_stages(model, crop)
    assert tuple(works) == STAGES
    weights = sum(p.numel() * p.element_size() for p in model.backbone.parameters())
    assert works["image features"].bytes > weights  # they are read, once at least
    assert all(work.flops > 0 for work in works.values())


def test_counts_the_points_that_the_search_evaluates(model: Hoisdf, crop: NetworkInput) -> None:
    capacity = search_capacity(model, crop)
    assert capacity is not None
    assert points_evaluated(model, crop) == tuple(capacity)


def test_another_lattice_shares_the_weights_and_costs_more(
    model: Hoisdf, crop: NetworkInput
) -> None:
    finer = variant(model, lattice_size=24)
    assert finer.config.lattice_size == 24
    assert finer.backbone.state_dict().keys() == model.backbone.state_dict().keys()
    own, shared = next(model.parameters()), next(finer.parameters())
    assert own.data_ptr() == shared.data_ptr()
    assert sum(points_evaluated(finer, crop)) > 4 * sum(points_evaluated(model, crop))


def test_hands_are_timed_in_one_batch_and_singly(model: Hoisdf, crop: NetworkInput) -> None:
    rows = cost_of_hands(EagerBackend(model, "cpu"), [crop] * 4, runs=2)
    assert [row["hands"] for row in rows] == list(HANDS)
    assert all(row[way]["median"] > 0 for row in rows for way in ("batched_ms", "singly_ms"))


def test_lattices_are_timed_with_their_points(
    model: Hoisdf, crop: NetworkInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaling, "LATTICES", (16, 24))
    rows = cost_of_lattice(model, [crop], runs=2)
    assert [row["lattice"] for row in rows] == [12, 16, 24]
    points = [row["points_evaluated"] for row in rows]
    assert points == sorted(set(points))
    assert all(row["network_ms"]["median"] > 0 for row in rows)
