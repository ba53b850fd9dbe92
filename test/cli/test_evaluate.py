"""``hoisdf evaluate`` as a user types it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hoisdf_ros.cli.main import REFUSED, main
from hoisdf_ros.config import PRESETS
from hoisdf_ros.data import synthetic_grasps
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.evaluation import mean_pose
from hoisdf_ros.evaluation.sequences import JSON_KEYS
from hoisdf_ros.network.model import Hoisdf

FEW = ["--samples", "3", "--grasps", "2", "--device", "cpu"]
KEYS = (
    "mje_mm",
    "pa_mje_mm",
    "abs_mje_mm",
    "mean_pose_mje_mm",
    "oce_mm",
    "mce_mm",
    "adds_mm",
    "abs_adds_mm",
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.manual_seed(0)
    torch.save({"network": Hoisdf(PRESETS["demo"]).state_dict(), "preset": "demo"}, path)
    return str(path)


@pytest.fixture(scope="module")
def _grasps(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401
    """Two grasps, made once, and five poses tell as much about the command as thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(mean_pose, "HANDS", 5)
        patch.setattr(synthetic_grasps, "CHUNK", 2)
        data = SyntheticData("test", 1, grasps=2)
        try:
            data[0]
        except HoisdfError as error:
            pytest.skip(f"nothing to draw with: {error}")
        data.close()
        yield


def measured(weights: str, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """The whole of stdout, which must be JSON and nothing else."""
    assert main(["evaluate", "--weights", weights, "--json", *FEW, *words]) == 0
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.mark.usefixtures("_grasps")
def test_prints_json_and_writes_files(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    result = measured(weights, capsys, "--data", "synthetic:test", "--out", str(out))
    assert all(result[key] > 0 for key in KEYS)
    assert (result["samples"], result["seed"], result["split"]) == (3, 0, "test")
    assert sum(found["samples"] for found in result["objects"].values()) <= 3
    assert json.loads((out / "results.json").read_text()) == result
    names = {path.name for path in out.iterdir()}
    assert names == {"results.json", "results.md", "errors.png", "contact_sheet.png"}
    again = measured(weights, capsys, "--data", "synthetic")
    for key in KEYS:
        assert again[key] == pytest.approx(result[key], abs=2e-3)


@pytest.mark.usefixtures("_grasps")
def test_another_seed_or_split_is_another_set(
    weights: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [
        measured(weights, capsys, "--data", data, "--seed", seed)
        for data, seed in (("synthetic:test", "0"), ("synthetic:validation", "0"))
    ]
    assert results[0]["mje_mm"] != results[1]["mje_mm"]
    assert results[1]["split"] == "val"


@pytest.mark.usefixtures("_grasps")
def test_prints_tables(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", "synthetic:test", *FEW]
    assert main(["evaluate", "--weights", weights, *words]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# random.pth on synthetic:test\n")
    assert "| [mm] | MJE | PA-MJE |" in text


SEQUENCES = ["--data", "synthetic:test", "--localise", "given", "--grasps", "2", "--device", "cpu"]


@pytest.mark.usefixtures("_grasps")
def test_measures_sequences(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*SEQUENCES, "--scenes", "nobody,bare", "--sequences", "1", "--seed", "1"]
    words += ["--length", "0.5", "--every", "10", "--out", str(tmp_path), "--json"]
    assert main(["evaluate", "--weights", weights, *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(JSON_KEYS) < set(found)
    assert (found["localise"], found["seed"], found["sequences"]) == ("given", 1, 2)
    assert list(found["groups"]) == ["nobody", "bare"]
    assert found["groups"]["nobody"]["hands"] == found["groups"]["nobody"]["estimates"] == 0
    assert found["groups"]["nobody"]["frames"] == 180
    assert (found["hands"], found["detection_recall"], found["wrong"]) == (2, 1.0, 0)
    assert found["wrist_p90_mm"] == pytest.approx(0.0, abs=1e-3)
    assert found["mje_mm"] == pytest.approx(found["abs_mje_mm"], abs=1e-3)
    assert found["mje_mm"] > 10
    assert found["frame_p90_ms"] >= found["frame_median_ms"] >= 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"results.json", "results.md", "wrists.png"}
    assert "| nobody |" in (tmp_path / "results.md").read_text()


@pytest.mark.usefixtures("_grasps")
def test_measures_wrong_wrists(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", "synthetic:test", "--root-errors", "0,50", "--out", str(tmp_path)]
    found = measured(weights, capsys, *words)["root_errors"]
    errors = [(point["direction"], point["root_error_mm"]) for point in found]
    assert errors == [("along", 0), ("along", 50), ("across", 0), ("across", 50)]
    assert found[0]["mje_mm"] == pytest.approx(found[0]["abs_mje_mm"], abs=1e-3)
    assert found[1]["abs_mje_mm"] != pytest.approx(found[0]["abs_mje_mm"], abs=1)
    assert all(point["refined_abs_mje_mm"] > 0 for point in found)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"results.json", "results.md", "root_errors.png"}
    assert "| 50 across |" in (tmp_path / "results.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "coco"], "data 'coco': expected synthetic"),
        (["--data", "synthetic:all"], "synthetic:train, :validation or :test"),
        (["--data", "synthetic", "--samples", "0"], "--samples 0: expected 1 or more"),
        (["--data", "synthetic", "--seed", "-1"], "seed -1"),
        (["--data", "synthetic", "--device", "abacus"], "device 'abacus'"),
        (["--data", "synthetic", "--batch-size", "-1"], "batch size -1"),
        (["--data", "dexycb:s0-test"], "--data-root"),
        (["--data", "dexycb", "--data-root", "/no/such"], "by --hand-model"),
        (["--data", "ho3d:half", "--data-root", "/no", "--hand-model", "/no"], "MANO_RIGHT"),
        (["--data", "shards:/no/such"], "holds no manifest.json"),
        (["--data", "synthetic", "--weights", "/no/such.pth"], "no such file"),
        (["--data", "synthetic", "--preset", "dexycb"], "It fits preset 'demo': use that"),
        (["--data", "synthetic", "--sequences", "3"], "--sequences has no meaning without --local"),
        (["--data", "synthetic", "--root-errors", "5 mm"], "--root-errors 5 mm: expected millim"),
        (["--data", "synthetic", "--root-errors", "0,-5"], "--root-errors 0,-5: expected"),
        (["--data", "synthetic", "--root-errors", "0,900"], "from 0 to 300"),
        (["--data", "synthetic", "--root-errors", "0", "--surfaces"], "--surfaces has no meaning"),
        ([*SEQUENCES, "--samples", "3"], "--samples has no meaning with --localise"),
        ([*SEQUENCES, "--root-errors", "0,10"], "--root-errors has no meaning with --localise"),
        ([*SEQUENCES, "--data", "ho3d", "--data-root", "/no"], "--data-root has no meaning with"),
        ([*SEQUENCES, "--data", "shards:/no"], "only synthetic data has sequences"),
        ([*SEQUENCES, "--sequences", "0"], "--sequences 0, --every 1: expected 1 or more"),
        ([*SEQUENCES, "--every", "0"], "--every 0: expected 1 or more"),
        ([*SEQUENCES, "--length", "0"], "sequences of 0.0 s; ask for a few seconds"),
        ([*SEQUENCES, "--scenes", "fog"], "scene 'fog': expected one of holes, flying"),
        ([*SEQUENCES, "--seed", "-1"], "seed -1"),
    ],
)
def test_bad_input_is_refused_with_its_value(
    weights: str,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DEX_YCB_DIR", raising=False)
    assert main(["evaluate", "--weights", weights, *words]) == REFUSED
    printed = capsys.readouterr()
    assert message in printed.err
    assert not printed.out
