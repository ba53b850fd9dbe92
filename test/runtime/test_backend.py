"""Backends and devices."""

import time
from dataclasses import replace

import pytest
import torch

from hoisdf_ros.bench.latency import synthetic_input
from hoisdf_ros.config import PRESETS, EstimatorConfig
from hoisdf_ros.errors import BackendError, CheckpointError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import (
    EagerBackend,
    Stopwatch,
    choose_device,
    search_capacity,
)
from hoisdf_ros.runtime.loading import load_network


def test_auto_takes_what_is_there_and_a_missing_device_is_refused() -> None:
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(BackendError, match=r"'cuda:77': torch finds \d+ CUDA devices"):
        choose_device("cuda:77")


@pytest.mark.parametrize("name", ["tpu", "gpu", "cuda:", "cuda:x", "meta", "", "cuda:-1"])
def test_what_is_no_device_is_refused_in_one_short_line(name: str) -> None:
    with pytest.raises(BackendError) as refusal:
        choose_device(name)
    assert str(refusal.value) == f"device '{name}': expected auto, cpu, cuda or cuda:<index>"


def test_eager_does_not_train() -> None:
    model = Hoisdf(PRESETS["demo"])
    EagerBackend(model, "cpu")
    assert not model.training


def test_the_preset_follows_the_weights_and_randomness_stays_outside() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    loaded = load_network(EstimatorConfig(weights=""))
    assert torch.equal(torch.rand(1), expected)
    assert (loaded.config.name, loaded.weights) == ("demo", "untrained")
    with pytest.raises(CheckpointError, match="no such file"):
        load_network(EstimatorConfig(weights="/no/such.pth"))


def test_the_coarse_to_fine_search_has_fixed_budgets() -> None:
    model = Hoisdf(replace(PRESETS["demo"], sampler="coarse_to_fine"))
    assert search_capacity(model, synthetic_input(128)) is None


def test_searching_only_the_boxes_finds_what_the_dense_search_finds() -> None:
    torch.manual_seed(3)
    model = Hoisdf(replace(PRESETS["demo"], lattice_size=16, hand_points=100)).eval()
    inputs = synthetic_input(256)
    capacity = search_capacity(model, inputs)
    assert capacity is not None
    inside = model.points_in_boxes(inputs).amax(dim=1).tolist()
    assert all(a <= b < a + 64 for a, b in zip(inside, capacity, strict=True))
    assert capacity.hand < 16**3
    with torch.no_grad():
        dense, served = model(inputs), EagerBackend(model, "cpu")(inputs)
    torch.testing.assert_close(served.queries.hand.points, dense.queries.hand.points)
    torch.testing.assert_close(served.joints.joints, dense.joints.joints)
    torch.testing.assert_close(served.object.translation, dense.object.translation)


def test_a_box_that_holds_everything_needs_the_whole_lattice() -> None:
    model = Hoisdf(replace(PRESETS["demo"], lattice_size=16, hand_points=100)).eval()
    everything = torch.tensor([[-1e4, -1e4, 1e4, 1e4]])
    inputs = synthetic_input(256)._replace(hand_box=everything)
    capacity = search_capacity(model, inputs)
    assert capacity is not None
    assert capacity.hand == 16**3 > capacity.object


def test_laps_add_up() -> None:
    watch = Stopwatch()
    time.sleep(0.01)
    assert watch.lap() >= 10
    assert watch.lap() < 10
