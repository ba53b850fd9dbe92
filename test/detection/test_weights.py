"""Where the weights lie, and what is refused."""

import sys
from pathlib import Path

import pytest

from hoisdf_ros.detection import weights as module
from hoisdf_ros.detection.weights import FILE_NAME, find_weights, load_networks, places
from hoisdf_ros.errors import DetectorError


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment and a cache without weights."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_a_virtual_environment_comes_before_the_cache(elsewhere: Path) -> None:
    assert places() == (
        elsewhere / "venv/share/hoisdf_ros/detector" / FILE_NAME,
        elsewhere / "cache/hoisdf_ros/detector" / FILE_NAME,
    )
    assert find_weights() is None
    for place in reversed(places()):
        place.parent.mkdir(parents=True)
        place.touch()
        assert find_weights() == place


def test_without_a_virtual_environment_the_cache_is_the_place(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert places() == (elsewhere / "cache/hoisdf_ros/detector" / FILE_NAME,)


@pytest.mark.usefixtures("elsewhere")
def test_missing_weights_are_named_with_what_to_do() -> None:
    with pytest.raises(DetectorError, match=r"cache/hoisdf_ros.*hoisdf detector fetch"):
        load_networks()


def test_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"PK\3\4 not the weights")
    with pytest.raises(DetectorError, match="another version"):
        load_networks(path)
    with pytest.raises(DetectorError, match="cannot be read"):
        load_networks(tmp_path / "absent")


def test_the_right_file_loads(weights: Path) -> None:
    palm, landmarks = load_networks(weights)
    assert sum(parameter.numel() for parameter in palm.parameters()) == 1_136_248
    assert sum(parameter.numel() for parameter in landmarks.parameters()) == 2_715_680
    assert not palm.training
    assert not any(parameter.requires_grad for parameter in landmarks.parameters())


def test_one_flipped_bit_shows(weights: Path) -> None:
    content = bytearray(weights.read_bytes())
    assert module.is_intact(bytes(content))
    content[-1000] ^= 1
    assert not module.is_intact(bytes(content))
