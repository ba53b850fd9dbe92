"""Settings from YAML: defaults, and refusals that say what to write instead."""

from dataclasses import replace
from pathlib import Path

import pytest

from hoisdf_ros.errors import ConfigError
from hoisdf_ros.training.schedule import learning_rate
from hoisdf_ros.training.settings import TrainConfig, read_config


def read(tmp_path: Path, text: str) -> TrainConfig:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return read_config(path)


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    config = read(tmp_path, "preset: demo\nclip_norm: 5\naugment: {zoom: 0.1}\n")
    assert (config.preset, config.clip_norm) == ("demo", 5.0)
    assert isinstance(config.clip_norm, float)
    assert (config.augment.zoom, config.augment.shift) == (0.1, 0.1)
    assert read(tmp_path, "") == TrainConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rat: 1.0", "unknown learning_rat; expected some of preset"),
        ("augment: {zooom: 1.0}", "augment: unknown zooom"),
        ("epochs: 1.5", "epochs is 1.5: expected a int"),
        ("epochs: true", "epochs is True"),
        ("learning_rate: 1e-4", "YAML wants 1.0e-4"),
        ("epochs: 0", "epochs is 0: expected a positive number"),
        ("preset: big", "preset 'big': expected one of dexycb"),
        ("average_decay: 1.0", "less than 1"),
        ("keep: [backbone]", r"keep is \['backbone'\], parts of no 'weights'"),
        ("emphasis: {hetmap: 2.0}", "emphasis is {'hetmap': 2.0}: expected positive factors of"),
        ("emphasis: {heatmap: 0.0}", "expected positive factors of hand_sdf, object_sdf, heatmap"),
        ("- 1", "expected 'name: value' lines"),
        ("a: [", "expected YAML"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "none.yaml")


def test_the_learning_rate_rises_then_falls_to_its_floor() -> None:
    published = TrainConfig()
    rates = [learning_rate(published, 10 * epoch, 10) for epoch in (0, 8, 9, 18, 69)]
    assert rates == pytest.approx([1e-4, 1e-4, 7e-5, 4.9e-5, 1e-5])
    warming = replace(published, warmup_steps=3)
    assert [learning_rate(warming, step, 10) for step in range(4)] == pytest.approx(
        [2.5e-5, 5e-5, 7.5e-5, 1e-4]
    )
