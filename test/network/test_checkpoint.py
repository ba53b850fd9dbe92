"""Checkpoints: published names, clear refusals, nothing executed."""

import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hoisdf_ros.config import PRESETS, EstimatorConfig
from hoisdf_ros.errors import CheckpointError
from hoisdf_ros.network.checkpoint import load_checkpoint, stored_preset, weights_hash
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.reference_weights import published_entry
from hoisdf_ros.runtime.loading import load_network

Entries = dict[str, Tensor]


def published(model: Hoisdf) -> Entries:
    """The model's weights as the published code would have stored them."""
    entries: Entries = {}
    thirds: dict[str, dict[int, Tensor]] = {}
    for name, value in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        entry = published_entry(name)
        if entry.third is None:
            entries[f"module.{entry.name}"] = value
        else:
            thirds.setdefault(entry.name, {})[entry.third] = value
    for name, parts in thirds.items():
        entries[f"module.{name}"] = torch.cat([parts[0], parts[1], parts[2]])
    return entries


@pytest.fixture
def demo() -> Hoisdf:
    torch.manual_seed(0)
    return Hoisdf(PRESETS["demo"])


def saved(path: Path, entries: object) -> Path:
    torch.save({"network": entries}, path)
    return path


def test_published_and_own_names_both_load(demo: Hoisdf, tmp_path: Path) -> None:
    for entries in (published(demo), demo.state_dict()):
        other = Hoisdf(PRESETS["demo"])
        assert weights_hash(other) != weights_hash(demo)
        load_checkpoint(saved(tmp_path / "weights.pth", entries), other)
        assert weights_hash(other) == weights_hash(demo)


def test_a_checkpoint_may_name_its_preset(demo: Hoisdf, tmp_path: Path) -> None:
    assert stored_preset(saved(tmp_path / "published.pth", published(demo))) == ""
    path = tmp_path / "ours.pth"
    torch.save({"network": demo.state_dict(), "preset": "demo"}, path)
    assert stored_preset(path) == "demo"
    loaded = load_network(EstimatorConfig(weights=str(path), device="cpu"))
    assert (loaded.config.name, loaded.weights_hash) == ("demo", weights_hash(demo))
    with pytest.raises(CheckpointError, match="It fits preset 'demo': use that"):
        load_network(EstimatorConfig(weights=str(path), preset="dexycb", device="cpu"))


def test_weights_of_the_same_shape_with_other_numbers_are_refused(
    demo: Hoisdf, tmp_path: Path
) -> None:
    path = tmp_path / "ours.pth"
    told = {"network": demo.state_dict(), "preset": "demo", "network_config": asdict(demo.config)}
    torch.save(told, path)
    load_checkpoint(path, Hoisdf(replace(PRESETS["demo"], hand_points=7, lattice="sheared")))
    with pytest.raises(CheckpointError, match=r"preset 'demo' with sdf_scale 5\.0 \(now 3\.1\)"):
        load_checkpoint(path, Hoisdf(replace(PRESETS["demo"], sdf_scale=3.1)))
    with pytest.raises(CheckpointError, match="It fits preset 'demo': use that"):
        load_checkpoint(path, Hoisdf(PRESETS["dexycb"]))


def test_constants_of_the_hand_model_and_unused_entries_are_ignored(
    demo: Hoisdf, tmp_path: Path
) -> None:
    entries = published(demo) | {
        "module.mano_head.mano_layer.th_betas": torch.zeros(1, 10),
        "module.mano_head.coord_change_mat": torch.eye(3),
        "module.norm1.weight": torch.zeros(7),
        "module.linear_objvote.layers.0.weight": torch.zeros(2, 2),
        "module.backbone_net.resnet.bn1.num_batches_tracked": torch.tensor(5),
    }
    load_checkpoint(saved(tmp_path / "weights.pth", entries), demo)


def test_missing_unexpected_and_misshapen_entries_are_named(demo: Hoisdf, tmp_path: Path) -> None:
    entries = published(demo)
    del entries["module.linear_shape.layers.0.weight"]
    entries["module.surprise"] = torch.zeros(1)
    entries["module.linear_sdfin.layers.0.bias"] = torch.zeros(3)
    name = "module.hand_transformer.encoder.layers.0.self_attn.in_proj_weight"
    entries[name] = entries[name][:-3]
    before = weights_hash(demo)
    with pytest.raises(CheckpointError) as refusal:
        load_checkpoint(saved(tmp_path / "weights.pth", entries), demo)
    message = str(refusal.value)
    for part in ("linear_shape.layers.0.weight", "surprise", "linear_sdfin.layers.0.bias", "(3,)"):
        assert part in message
    assert "in_proj_weight" in message
    assert weights_hash(demo) == before


def test_another_presets_checkpoint_is_recognised(tmp_path: Path) -> None:
    with torch.device("meta"):
        shapes = published(Hoisdf(PRESETS["ho3d_render"]))
    entries = {name: torch.zeros(value.shape) for name, value in shapes.items()}
    path = saved(tmp_path / "weights.pth", entries)
    with pytest.raises(CheckpointError, match="It fits preset 'ho3d_render'"):
        load_checkpoint(path, Hoisdf(PRESETS["dexycb"]))


class _Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(_Hostile.target),)

    target: Path


def test_a_checkpoint_that_would_run_code_is_refused(demo: Hoisdf, tmp_path: Path) -> None:
    _Hostile.target = tmp_path / "owned"
    path = tmp_path / "weights.pth"
    torch.save({"network": {}, "extra": _Hostile()}, path)
    with pytest.raises(CheckpointError, match=r"objects \(posix\.mkdir\), .* never") as refusal:
        load_checkpoint(path, demo)
    assert "weights_only" not in str(refusal.value)
    assert not _Hostile.target.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"", "cannot be read: it is empty"),
        (b"not a checkpoint", r"not made by torch\.save"),
        (b"hello, not a checkpoint", r"not made by torch\.save"),  # torch raises a KeyError
        (b"PK\x03\x04", r"not made by torch\.save"),
        (pickle.dumps({"a": 1}), r"not made by torch\.save"),  # torch warns of its protocol
    ],
)
def test_files_that_are_no_checkpoint(
    demo: Hoisdf,
    tmp_path: Path,
    content: bytes | None,
    reason: str,
    recwarn: pytest.WarningsRecorder,
) -> None:
    path = tmp_path / "weights.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=reason) as refusal:
        load_checkpoint(path, demo)
    assert "weights_only" not in str(refusal.value)
    assert not recwarn.list


def test_a_truncated_checkpoint_is_refused(demo: Hoisdf, tmp_path: Path) -> None:
    path = saved(tmp_path / "weights.pth", published(demo))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(path, demo)


def test_a_file_without_the_network_key_says_what_it_holds(demo: Hoisdf, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match=r"state_dict.*with the key 'network'"):
        load_checkpoint(path, demo)
