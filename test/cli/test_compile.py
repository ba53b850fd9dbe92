"""``hoisdf compile``: an engine file, and what it says about it."""

import shutil
from pathlib import Path

import pytest

from hoisdf_ros.cli.main import main
from hoisdf_ros.config import PRESETS
from hoisdf_ros.network.checkpoint import weights_hash
from hoisdf_ros.runtime.engine_cache import find, network_hash
from hoisdf_ros.runtime.loading import load_source
from hoisdf_ros.runtime.portable import portable_key
from test.runtime.small import CONFIG


@pytest.fixture(autouse=True)
def small_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the demo preset, so that compiling takes seconds."""
    monkeypatch.setitem(PRESETS, "demo", CONFIG)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_portable_engine_is_built_without_a_gpu(
    precision: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="no wheel of TensorRT-RTX for this platform")
    pytest.importorskip("onnxscript", reason="no ONNX exporter here")
    words = ["compile", "--weights", "", "--target", "portable", "--precision", precision]
    assert main([*words, "--engine-cache-dir", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    (path,) = tmp_path.iterdir()
    for text in (f"building {path.name}", str(path), f"demo, {precision}", " MB", " s\n"):
        assert text in printed
    assert "not compared: that needs the GPU it is for" in printed

    from hoisdf_ros.config import EstimatorConfig

    source = load_source(EstimatorConfig(weights=""))
    assert source.network.config == CONFIG
    hashed = network_hash(weights_hash(source.network), CONFIG)
    engine = find(tmp_path, portable_key(CONFIG, hashed, precision, trt.__version__))
    assert engine is not None
    assert engine.differences == {}
    assert len(engine.content) > 100_000


def test_what_cannot_be_built_ends_with_a_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    words = ["compile", "--weights", "", "--device", "cpu", "--engine-cache-dir", str(tmp_path)]
    assert main(words) == 2
    assert "install g++" in capsys.readouterr().err
    assert main([*words, "--weights", "/no/such.pth"]) == 2
    assert list(tmp_path.iterdir()) == []
