"""Which data sets can be trained on, and what is said when one cannot be opened."""

from dataclasses import replace
from pathlib import Path

import pytest

from hoisdf_ros.errors import ConfigError, DataError, MeshError
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.training.data_sets import MeshLibrary, ModelFolder, open_data
from hoisdf_ros.training.settings import TrainConfig, read_config

CONFIGS = Path(__file__).parents[2] / "config"


def test_the_synthetic_set_holds_other_pictures_out() -> None:
    data = open_data("synthetic", replace(TrainConfig(), samples=5, held_out=3))
    assert (len(data.samples), len(data.held_out)) == (5, 3)
    assert not set(data.samples.keys) & set(data.held_out.keys)
    known = data.objects.get("shape_ball")
    assert known is not None
    assert known.mesh.size.max() == pytest.approx(0.068, rel=0.02)
    assert data.objects.get("nothing") is None


@pytest.mark.parametrize("name", ["dexycb", "ho3d:", "imagenet:/data", "synthetic:/data"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="expected synthetic, dexycb:ROOT or ho3d:ROOT"):
        open_data(name, TrainConfig())


@pytest.mark.parametrize("kind", ["dexycb", "ho3d"])
def test_real_hands_need_mano(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ConfigError, match="set hand_model_dir"):
        open_data(f"{kind}:{tmp_path}", TrainConfig())


def test_models_are_read_from_the_data_sets_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="should hold the YCB models"):
        ModelFolder(tmp_path / "models")
    mesh = box((0.1, 0.2, 0.3))
    lines = [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in mesh.faces + 1]
    path = tmp_path / "models" / "003_cracker_box" / "textured_simple.obj"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))
    folder = ModelFolder(tmp_path / "models")
    known = folder.get("003_cracker_box")
    assert known is not None
    assert known.mesh.size == pytest.approx([0.1, 0.2, 0.3])
    assert folder.get("003_cracker_box") is known
    with pytest.raises(MeshError, match="024_bowl"):
        folder.get("024_bowl")


def test_a_library_knows_its_meshes() -> None:
    library = MeshLibrary({"brick": box((0.1, 0.1, 0.1))})
    assert library.get("brick") is library.get("brick") is not None


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("train_*.yaml")), ids=lambda path: path.name)
def test_the_packaged_configs_train_from_scratch(path: Path) -> None:
    config = read_config(path)
    assert config.preset == "demo"
    assert not config.freeze_norm
    assert not config.weights
