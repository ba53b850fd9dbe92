"""Backends and devices."""

import time

import pytest
import torch

from hoisdf_ros.config import PRESETS, EstimatorConfig
from hoisdf_ros.errors import BackendError, CheckpointError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import Stopwatch, choose_device, make_backend
from hoisdf_ros.runtime.loading import load_network


def test_auto_takes_what_is_there_and_a_missing_device_is_refused() -> None:
    assert choose_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(BackendError, match="cuda:77"):
        choose_device("cuda:77")
    with pytest.raises(BackendError, match="'gpu'"):
        choose_device("gpu")


def test_an_unknown_backend_is_refused_and_eager_does_not_train() -> None:
    with pytest.raises(BackendError, match="'warp'"):
        make_backend(Hoisdf(PRESETS["demo"]), "warp", "cpu")
    model = Hoisdf(PRESETS["demo"])
    make_backend(model, "auto", "cpu")
    assert not model.training


def test_the_preset_follows_the_weights_and_randomness_stays_outside() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    loaded = load_network(EstimatorConfig())
    assert torch.equal(torch.rand(1), expected)
    assert (loaded.config.name, loaded.weights) == ("demo", "untrained")
    with pytest.raises(CheckpointError, match="no such file"):
        load_network(EstimatorConfig(weights="/no/such.pth"))


def test_laps_add_up() -> None:
    watch = Stopwatch()
    time.sleep(0.01)
    assert watch.lap() >= 10
    assert watch.lap() < 10
