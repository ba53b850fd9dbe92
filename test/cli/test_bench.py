"""``hoisdf bench``: what a user and the comparison of machines rely on."""

import importlib.util
import json
from pathlib import Path

import pytest

from hoisdf_ros.bench.latency import STAGES
from hoisdf_ros.cli.main import REFUSED, main

QUICK = ["bench", "--device", "cpu", "--quick", "--runs", "1", "--pictures", "2"]


def test_json_has_what_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("moderngl")
    assert main([*QUICK, "--network-only", "--json", "--out", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    for name in ("network_ms", "dense_eager_ms", "core_ms"):
        assert 0 < printed[name]["median"] <= printed[name]["p99"]
    assert set(printed["stages_ms"]) == set(STAGES)
    assert printed["fast_vs_dense_joint_mm_p99"] >= 0
    points = printed["points_evaluated"]
    assert 0 < points["hand"] + points["object"] <= points["dense"]
    assert (printed["device"], printed["backend"], printed["precision"]) == ("cpu", "eager", "fp32")
    assert printed["node_overhead_ms"] is None
    assert printed["missing"]["node_overhead_ms"] == "not asked for"
    assert json.loads((tmp_path / "bench.json").read_text()) == printed


@pytest.mark.skipif(importlib.util.find_spec("rclpy") is None, reason="needs ROS")
def test_the_node_is_measured_where_there_is_ros(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("moderngl")
    monkeypatch.setenv("ROS_DOMAIN_ID", "87")
    assert main([*QUICK, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert 0 < printed["node_overhead_ms"]["median"] <= printed["node_overhead_ms"]["p99"]
    node = printed["node"]
    assert node["given"]["core"] == "real"
    assert node["given"]["latency_ms"]["median"] > node["given"]["core_ms"]["min"]
    assert node["instant"]["core"] == "waits 0 ms"
    assert node["instant"]["unaccounted"] == 0


def test_weights_that_are_not_there_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("moderngl")
    assert main([*QUICK, "--network-only", "--weights", "/none/such.pth"]) == REFUSED
    assert "/none/such.pth" in capsys.readouterr().err
