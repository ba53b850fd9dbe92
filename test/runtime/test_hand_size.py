"""The file beside the weights that tells sizes: read, or refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hoisdf_ros.config import PACKAGED, EstimatorConfig
from hoisdf_ros.errors import CheckpointError
from hoisdf_ros.network.hand_size import HandSize
from hoisdf_ros.runtime.hand_size import hand_size_file, load_hand_size, write_hand_size
from hoisdf_ros.runtime.loading import load_network, load_source, weights_file

CHANNELS = (2, 3, 4, 5, 6)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "mine.pth"
    torch.manual_seed(0)
    with hand_size_file(path).open("wb") as file:
        write_hand_size(file, HandSize(CHANNELS), "abc")
    return path


def test_what_was_written_is_read(weights: Path) -> None:
    torch.manual_seed(0)
    expected = HandSize(CHANNELS).eval()
    found = load_hand_size(weights, "abc", CHANNELS)
    assert found is not None
    assert not found.training
    seen = torch.rand(3, 2 * sum(CHANNELS) + 7)
    torch.testing.assert_close(found(seen), expected(seen), rtol=0, atol=0)


def test_weights_without_it_have_none(tmp_path: Path) -> None:
    assert load_hand_size(tmp_path / "other.pth", "abc", CHANNELS) is None


def test_that_of_other_weights_is_refused(weights: Path) -> None:
    with pytest.raises(CheckpointError, match=r"belongs to weights abc, expected def .* anew"):
        load_hand_size(weights, "def", CHANNELS)
    with pytest.raises(CheckpointError, match=r"does not fit mine\.pth"):
        load_hand_size(weights, "abc", (1, 2, 3, 4, 5))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half of one"])
def test_a_damaged_file_is_refused(weights: Path, content: bytes) -> None:
    hand_size_file(weights).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"mine_hand_size.npz: .*remove it"):
        load_hand_size(weights, "abc", CHANNELS)


def test_pickled_arrays_are_never_loaded(weights: Path) -> None:
    with hand_size_file(weights).open("wb") as file:
        np.savez(file, weights_hash=np.array("abc"), middle=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="Python objects"):
        load_hand_size(weights, "abc", CHANNELS)


def test_the_packaged_one_belongs_to_the_packaged_weights() -> None:
    packaged = weights_file(PACKAGED)
    assert packaged is not None
    assert hand_size_file(packaged).is_file()
    config = EstimatorConfig(weights=PACKAGED, backend="eager")
    assert load_network(config).hand_size is not None
    source = load_source(config)
    assert load_hand_size(packaged, source.weights_hash, source.network.config.decoder.widths)
    assert load_network(EstimatorConfig(weights="", backend="eager")).hand_size is None
