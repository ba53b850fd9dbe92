"""Which data sets can be trained on, and what is said when one cannot be opened."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hoisdf_ros.data.shards import MANIFEST, Recipe, shard_path
from hoisdf_ros.data.synthetic_streams import Split
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.training.data_sets import open_data
from hoisdf_ros.training.settings import TrainConfig, read_config

COUNT = 600
CONFIGS = Path(__file__).parents[2] / "config"


def stored(folder: Path, split: Split, seed: int) -> Path:
    """A folder of shards that are empty, which nobody notices until one is read."""
    recipe = Recipe(split, seed, COUNT, grasps=16, depth=False, generator=1)
    (folder / MANIFEST).write_text(json.dumps(asdict(recipe)))
    for shard in range(recipe.num_shards):
        shard_path(folder, shard).touch()
    return folder


def test_the_synthetic_set_holds_other_pictures_out() -> None:
    data = open_data("synthetic", replace(TrainConfig(), samples=5, held_out=3))
    assert (len(data.samples), len(data.held_out)) == (5, 3)
    assert not set(data.samples.keys) & set(data.held_out.keys)
    known = data.objects.get("shape_ball")
    assert known is not None
    assert known.mesh.size.max() == pytest.approx(0.068, rel=0.02)
    assert data.objects.get("nothing") is None


def test_stored_pictures_are_trained_on_and_made_ones_held_out(tmp_path: Path) -> None:
    data = open_data(f"shards:{stored(tmp_path, 'train', 5)}", replace(TrainConfig(), held_out=3))
    assert (len(data.samples), len(data.held_out)) == (COUNT, 3)
    assert data.held_out.keys[0] == "synthetic/val/6/0000000"  # one seed further


@pytest.mark.parametrize("name", ["synthetic:test", "dexycb:s0-test", "ho3d:evaluation", "shards"])
def test_what_is_measured_on_is_not_trained_on(tmp_path: Path, name: str) -> None:
    real = name.startswith(("dexycb", "ho3d"))
    text = f"shards:{stored(tmp_path, 'test', 0)}" if name == "shards" else name
    with pytest.raises(ConfigError, match="expected one to train on"):
        open_data(text, TrainConfig(samples=5), str(tmp_path) if real else "")


@pytest.mark.parametrize("kind", ["dexycb", "ho3d"])
def test_real_hands_need_mano(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError, match="by hand_model_dir in the config"):
        open_data(kind, TrainConfig(), str(tmp_path))


STARTS = {  # weights, and whether from the hand detector
    "train_demo.yaml": ("runs/image/last.pth", False),  # of train_demo_image.yaml's run
    "train_demo_image.yaml": ("", True),
    "train_tiny.yaml": ("demo", False),
}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("train_*.yaml")), ids=lambda path: path.name)
def test_the_packaged_configs_train_the_demo_network(path: Path) -> None:
    config = read_config(path)
    assert config.preset == "demo"
    assert not config.freeze_norm
    assert (config.weights, config.pretrained) == STARTS[path.name]
