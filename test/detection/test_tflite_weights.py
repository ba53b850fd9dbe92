"""Reading weights out of a .tflite file."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from hoisdf_ros.detection.landmarks import LandmarkNetwork
from hoisdf_ros.detection.palm import PalmNetwork
from hoisdf_ros.detection.tflite_weights import load_layers, read_layers
from hoisdf_ros.errors import CheckpointError


@pytest.fixture(scope="module")
def palm(weights: Path) -> bytes:
    with zipfile.ZipFile(weights) as archive:
        return archive.read("hand_detector.tflite")


def test_layers_are_read_in_torch_layout(palm: bytes) -> None:
    layers = read_layers(palm)
    shapes = [[array.shape for array in layer] for layer in layers[:4]]
    assert shapes == [
        [(32, 3, 5, 5), (32,)],
        [(32,)],
        [(32, 1, 5, 5), (32,)],
        [(32, 32, 1, 1), (32,)],
    ]
    assert all(array.dtype == np.float32 for layer in layers for array in layer)
    assert all(np.isfinite(array).all() for layer in layers for array in layer)
    assert sum(array.size for layer in layers for array in layer) == 1_136_248


def test_another_network_is_refused(palm: bytes) -> None:
    with pytest.raises(CheckpointError, match="expected"):
        load_layers(LandmarkNetwork(), read_layers(palm))


def test_layers_of_another_shape_are_refused_by_name() -> None:
    layers = [(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))]
    with pytest.raises(CheckpointError, match=r"'0.weight' are \(2, 3\), expected \(3, 2\)"):
        load_layers(nn.Sequential(nn.Linear(2, 3)), layers)


def test_every_parameter_is_filled(palm: bytes) -> None:
    network = PalmNetwork()
    for parameter in network.parameters():
        nn.init.constant_(parameter, float("nan"))
    load_layers(network, read_layers(palm))
    assert all(parameter.isfinite().all() for parameter in network.parameters())


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0\0\0\0PK34", b"PK\3\4" * 9])
def test_what_is_no_tflite_is_refused(content: bytes) -> None:
    with pytest.raises(CheckpointError, match="TFL3"):
        read_layers(content)


def test_damage_is_refused_or_read_but_nothing_else(palm: bytes) -> None:
    """Neither a foreign exception, nor an endless loop, nor gigabytes."""
    rng = np.random.default_rng(3)
    tables = len(palm) - 60_000  # where the tables are: the weights come first
    refused = 0
    for _ in range(60):
        damaged = bytearray(palm)
        for place in rng.integers(tables, len(palm), 40).tolist():
            damaged[place] = int(rng.integers(256))
        try:
            read_layers(bytes(damaged))
        except CheckpointError:
            refused += 1
    assert refused > 30
    for length in (8, 100, len(palm) // 2, len(palm) - 1000):
        with pytest.raises(CheckpointError, match="damaged"):
            read_layers(palm[:length])
