"""Packaged weights: the same network within half precision, nothing of the run's own state."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from hoisdf_ros.config import preset
from hoisdf_ros.errors import CheckpointError
from hoisdf_ros.network.checkpoint import load_checkpoint, stored_preset
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.training.checkpoints import write_checkpoint
from hoisdf_ros.training.package import main, packaged

ORIGIN = {
    "preset": "demo",
    "network_config": asdict(preset("demo")),
    "config": {"epochs": 3, "weights": "/somewhere/first.pth"},
    "code": "abc",
    "data": "synthetic",
    "seed": 0,
    "step": 96,
    "epoch": 3.0,
}


def network() -> Hoisdf:
    torch.manual_seed(3)
    return Hoisdf(preset("demo"))


def test_a_packaged_network_is_the_same_within_half_precision(tmp_path: Path) -> None:
    trained = network()
    content = {"network": trained.state_dict(), "training": {"step": 96}} | ORIGIN
    write_checkpoint(tmp_path / "best.pth", content)
    out = tmp_path / "demo.pth"
    assert main([str(tmp_path / "best.pth"), str(out)]) == 0
    loaded = Hoisdf(preset("demo"))
    load_checkpoint(out, loaded)
    for name, value in trained.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=1e-3, atol=1e-6)
    stored = torch.load(out, weights_only=True)
    assert stored.keys() == {"network", *ORIGIN}
    assert stored["config"] == {"epochs": 3, "weights": "first.pth"}
    assert stored_preset(out) == "demo"
    assert out.stat().st_size < 0.55 * (tmp_path / "best.pth").stat().st_size


def test_weights_of_unknown_origin_are_not_packaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(tmp_path / "bare.pth", {"network": network().state_dict()})
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "bare.pth"), str(tmp_path / "out.pth")])
    assert stopped.value.code == 2
    assert "lacks preset, network_config, config" in capsys.readouterr().err
    assert not (tmp_path / "out.pth").exists()


def test_a_weight_beyond_half_precision_is_named() -> None:
    entries = {"a.weight": torch.full((2, 2), 1e5), "a.bias": torch.full((2,), 1e5)}
    with pytest.raises(CheckpointError, match=r"'a\.weight' reaches 1e\+05"):
        packaged(dict(ORIGIN), entries)
    entries.pop("a.weight")
    assert torch.equal(packaged(dict(ORIGIN), entries)["network"]["a.bias"], entries["a.bias"])
