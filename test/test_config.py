"""Presets and settings."""

import dataclasses

import pytest

from hoisdf_ros.config import PRESETS, EstimatorConfig, NetworkConfig, NodeConfig, preset
from hoisdf_ros.errors import ConfigError


def test_presets_follow_the_published_table() -> None:
    widths = {name: sum(config.decoder.widths) for name, config in PRESETS.items()}
    assert widths == {
        "dexycb": 992,
        "dexycb_full": 992,
        "ho3d": 3968,
        "ho3d_render": 992,
        "demo": 336,
    }
    margins = [PRESETS[name].hand_box_margin for name in ("dexycb", "ho3d", "ho3d_render")]
    assert margins == [1.1, 1.2, 1.2]
    assert PRESETS["dexycb"].object_depth is None
    assert PRESETS["ho3d"].object_depth == 0.5244322
    assert PRESETS["ho3d_render"].hand_head == "inverse_kinematics"
    assert PRESETS["dexycb"].backbone.channels == (64, 256, 512, 1024, 2048)


def test_unknown_presets_and_impossible_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="dexycb_full"):
        preset("dexycp")
    with pytest.raises(ConfigError, match="7 heads"):
        NetworkConfig(heads=7)
    with pytest.raises(ConfigError, match="lattice"):
        NetworkConfig(lattice_size=5)


def test_every_setting_says_what_it_does_and_its_default_is_allowed() -> None:
    for entry in dataclasses.fields(NodeConfig):
        info = entry.metadata["info"]
        assert info.description, entry.name
        if info.choices:
            assert entry.default in info.choices, entry.name
        if info.low is not None:
            assert info.low <= entry.default <= info.high, entry.name


def test_the_nodes_settings_include_the_estimators() -> None:
    estimator = {entry.name for entry in dataclasses.fields(EstimatorConfig)}
    assert estimator < {entry.name for entry in dataclasses.fields(NodeConfig)}
