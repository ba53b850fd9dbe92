"""The published network's arrays, through the command that users run.

The golden files lie beside the project, not in it. When one of these tests fails after a change
of the network, the change is wrong: the files are never made again from our own output.
"""

import json
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from hoisdf_ros.bench.golden import Golden, load_golden
from hoisdf_ros.bench.parity import compare
from hoisdf_ros.cli.main import main
from hoisdf_ros.config import preset
from hoisdf_ros.conventions import Side
from hoisdf_ros.errors import ParityError
from hoisdf_ros.hand_model.assets import load_hand_arrays
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.network.checkpoint import load_checkpoint
from hoisdf_ros.network.model import Hoisdf

PARITY = Path(__file__).parents[3] / "shared" / "parity"
FILES = {
    "golden_dexycb.npz": "dexycb",
    "golden_dexycb_reference_lattice.npz": "dexycb",
    "golden_ho3d.npz": "ho3d",
    "golden_ho3d_render.npz": "ho3d_render",
}
pytestmark = pytest.mark.skipif(
    not PARITY.is_dir(), reason="the golden files are not beside this checkout"
)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes the golden weights of a preset as a published checkpoint, once."""
    folder = tmp_path_factory.mktemp("weights")

    def write(name: str) -> Path:
        path = folder / f"{name}.pth"
        if not path.exists():
            state = runpy.run_path(str(PARITY / "weights.py"))["state_dict"](name)
            entries = {f"module.{key}": torch.from_numpy(value) for key, value in state.items()}
            torch.save({"network": entries}, path)
        return path

    return write


def _parity(preset_name: str, weights: Path, golden: Path) -> int:
    files = {"checkpoint": weights, "hand-model": PARITY / "hand_model.npz", "golden": golden}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    return main(["parity", "--preset", preset_name, *options])


@pytest.mark.parametrize("name", FILES)
def test_every_array_agrees(
    name: str, checkpoint: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    status = _parity(FILES[name], checkpoint(FILES[name]), PARITY / name)
    report = capsys.readouterr().out
    assert status == 0, report
    with np.load(PARITY / name) as arrays:
        inputs = {"image", "cam_intr", "mano_root", "obj_center_cam", "bbox_hand", "bbox_obj"}
        unnamed = [array for array in arrays if array not in report and array not in inputs]
    used_by_losses = [array for array in unnamed if array.startswith("target_")]
    assert unnamed == used_by_losses


def test_published_names_are_all_known() -> None:
    for name in ("dexycb", "ho3d", "ho3d_render"):
        shapes = json.loads((PARITY / f"state_dict_{name}.json").read_text())
        from hoisdf_ros.network.reference_weights import is_unused, published_entry

        model = Hoisdf(preset(name))
        wanted = {
            published_entry(key).name: published_entry(key).stored_shape(value.shape)
            for key, value in model.state_dict().items()
            if not key.endswith("num_batches_tracked")
        }
        stored = {key: tuple(shape) for key, shape in shapes.items() if not is_unused(key)}
        assert wanted == stored


@pytest.fixture(scope="module")
def network(checkpoint: Callable[[str], Path]) -> Iterator[tuple[Hoisdf, HandModel, Golden]]:
    """The network whose dense forward pass is done once, since changes of outputs leave it."""
    golden = load_golden(PARITY / "golden_dexycb.npz")
    model = Hoisdf(preset("dexycb")).eval()
    load_checkpoint(checkpoint("dexycb"), model)
    with torch.no_grad():
        output = model(golden.inputs)
    hand_model = HandModel(load_hand_arrays(PARITY / "hand_model.npz", Side.RIGHT))
    with mock.patch.object(model, "forward", return_value=output):
        yield model, hand_model, golden


def _arrays(kind: str) -> list[str]:
    """Arrays of the golden file by what they are for: outputs are compared and used no further."""
    if not PARITY.is_dir():
        return []
    with np.load(PARITY / "golden_dexycb.npz") as arrays:
        names = list(arrays)
    boxes = ["bbox_hand", "bbox_obj"]
    given = ["image", "cam_intr", "mano_root", "obj_center_cam", "probe_points"]
    given += [name for name in names if "_query_" in name or name.startswith("target_")]
    outputs = [name for name in names if name not in {*boxes, *given}]
    return {"outputs": outputs, "given": given}[kind]


def _disagreeing(network: tuple[Hoisdf, HandModel, Golden], *arrays: str) -> set[str]:
    model, hand_model, golden = network
    changed = {array: golden[array] * 1.01 for array in arrays}
    changed_golden = Golden(golden.arrays | changed, golden.path)
    return {c.array for c in compare(model, hand_model, changed_golden) if not c.agrees}


def test_one_per_cent_on_every_output_disagrees(
    network: tuple[Hoisdf, HandModel, Golden],
) -> None:
    outputs = _arrays("outputs")
    assert len(outputs) > 30
    assert _disagreeing(network, *outputs) >= set(outputs)


@pytest.mark.parametrize("array", _arrays("given"))
def test_one_per_cent_on_anything_given_disagrees(
    array: str, network: tuple[Hoisdf, HandModel, Golden]
) -> None:
    assert _disagreeing(network, array)


@pytest.mark.parametrize("array", ["bbox_hand", "bbox_obj"])
def test_one_per_cent_on_a_box_fails_the_command(
    array: str,
    checkpoint: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with np.load(PARITY / "golden_dexycb.npz") as arrays:
        changed = {name: arrays[name] * (1.01 if name == array else 1.0) for name in arrays}
    np.savez(tmp_path / "changed.npz", **changed)
    assert _parity("dexycb", checkpoint("dexycb"), tmp_path / "changed.npz") == 1
    assert "DISAGREES" in capsys.readouterr().out


def test_an_unknown_array_is_not_passed_over(network: tuple[Hoisdf, HandModel, Golden]) -> None:
    model, hand_model, golden = network
    changed = Golden(golden.arrays | {"surprise": torch.ones(1)}, golden.path)
    disagreeing = [c.array for c in compare(model, hand_model, changed) if not c.agrees]
    assert disagreeing == ["surprise"]


def test_a_file_without_query_points_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "golden.npz", image=np.zeros(3))
    with pytest.raises(ParityError, match="lacks cam_intr"):
        load_golden(tmp_path / "golden.npz")
