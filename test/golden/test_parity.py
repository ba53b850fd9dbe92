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
from torch import Tensor

from hoisdf_ros.bench.golden import Golden, load_golden
from hoisdf_ros.bench.parity import compare
from hoisdf_ros.bench.parity_losses import compare_losses
from hoisdf_ros.bench.parity_targets import NOT_COMPARED, compare_targets
from hoisdf_ros.cli.main import main
from hoisdf_ros.config import preset
from hoisdf_ros.conventions import Side
from hoisdf_ros.errors import ParityError
from hoisdf_ros.hand_model.assets import load_hand_arrays
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.network.checkpoint import load_checkpoint
from hoisdf_ros.network.io import ImageFeatures
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.reference_weights import is_unused, published_entry
from hoisdf_ros.runtime.backend import EagerBackend

PARITY = Path(__file__).parents[3] / "shared" / "parity"
FILES = {
    "golden_dexycb.npz": "dexycb",
    "golden_dexycb_reference_lattice.npz": "dexycb",
    "golden_ho3d.npz": "ho3d",
    "golden_ho3d_render.npz": "ho3d_render",
}
UNSHOWN = [
    "target_hand_sdf",
    "target_joint_cam_no_trans",
    "target_joint_coord",
    "target_mano_param",
    "target_obj_sdf",
]
"""In HO-3D's files, where no loss depends on them."""

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
    not_compared = [line.split()[2] for line in report.splitlines() if line.startswith("not comp")]
    assert sorted(not_compared) == ([] if FILES[name] == "dexycb" else UNSHOWN)


def test_published_names_are_all_known() -> None:
    for name in ("dexycb", "ho3d", "ho3d_render"):
        shapes = json.loads((PARITY / f"state_dict_{name}.json").read_text())
        model = Hoisdf(preset(name))
        wanted = {
            published_entry(key).name: published_entry(key).stored_shape(value.shape)
            for key, value in model.state_dict().items()
            if not key.endswith("num_batches_tracked")
        }
        stored = {key: tuple(shape) for key, shape in shapes.items() if not is_unused(key)}
        assert wanted == stored


Network = tuple[Hoisdf, HandModel, Golden]


@pytest.fixture(scope="module")
def network(checkpoint: Callable[[str], Path]) -> Iterator[Network]:
    """The network whose passes over what stays the same are done once."""
    golden = load_golden(PARITY / "golden_dexycb.npz")
    model = Hoisdf(preset("dexycb")).eval()
    load_checkpoint(checkpoint("dexycb"), model)
    hand_model = HandModel(load_hand_arrays(PARITY / "hand_model.npz", Side.RIGHT))
    with torch.no_grad():
        features, image_features = model.image_features(golden.inputs.image), model.image_features
        output = EagerBackend(model, "cpu")(golden.inputs)

    def looked_at(image: Tensor) -> ImageFeatures:
        return features if image is golden.inputs.image else image_features(image)

    with (
        mock.patch.object(model, "forward", return_value=output),
        mock.patch.object(model, "image_features", looked_at),
    ):
        yield model, hand_model, golden


def _arrays(kind: str) -> list[str]:
    """Arrays of the golden file by what they are for: outputs are compared and used no further."""
    if not PARITY.is_dir():
        return []
    with np.load(PARITY / "golden_dexycb.npz") as arrays:
        names = list(arrays)
    boxes = ["bbox_hand", "bbox_obj"]
    given = ["image", "cam_intr", "mano_root", "obj_center_cam", "probe_points"]
    given += [name for name in names if "_query_" in name]
    outputs = [
        name for name in names if name not in {*boxes, *given} and not name.startswith("target_")
    ]
    return {"outputs": outputs, "given": given}[kind]


def _disagreeing(network: Network, *arrays: str) -> set[str]:
    model, hand_model, golden = network
    changed = {array: golden[array] * 1.01 for array in arrays}
    changed_golden = Golden(golden.arrays | changed, golden.path)
    return {c.array for c in compare(model, hand_model, changed_golden) if not c.agrees}


def test_one_per_cent_on_every_output_disagrees(network: Network) -> None:
    outputs = _arrays("outputs")
    assert len(outputs) > 30
    assert _disagreeing(network, *outputs) >= set(outputs)


@pytest.mark.parametrize("array", _arrays("given"))
def test_one_per_cent_on_anything_given_disagrees(array: str, network: Network) -> None:
    assert _disagreeing(network, array)


def test_one_per_cent_on_every_target_disagrees(network: Network) -> None:
    """All at once: no two of them feed the same one of these losses."""
    shown_by = {
        "target_hand_sdf": "loss_sdfhand_loss",
        "target_obj_sdf": "loss_sdfobj_loss",
        "target_joint_coord": "loss_joint_heatmap",
        "target_hand_seg": "loss_hand_seg",
        "target_obj_seg": "loss_obj_seg",
        "target_joint_cam_no_trans": "loss_loss_all_joint_3d",
        "target_mano_param": "loss_shape_param_loss",
        "target_obj_rot": "loss_obj_rot",
        "target_rel_obj_trans": "loss_obj_trans",
    }
    assert set(shown_by) == {name for name in network[2].arrays if name.startswith("target_")}
    assert _disagreeing(network, *shown_by) >= set(shown_by.values())


def test_one_per_cent_on_a_box_fails_the_command(
    checkpoint: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both at once: each field looks for points in its own box."""
    with np.load(PARITY / "golden_dexycb.npz") as arrays:
        changed = {
            name: arrays[name] * (1.01 if name.startswith("bbox_") else 1.0) for name in arrays
        }
    np.savez(tmp_path / "changed.npz", **changed)
    assert _parity("dexycb", checkpoint("dexycb"), tmp_path / "changed.npz") == 1
    lines = capsys.readouterr().out.splitlines()
    for field in ("hand", "object"):
        (line,) = [line for line in lines if line.split()[2:3] == [f"{field}_query_points"]]
        assert "DISAGREES" in line


@pytest.mark.parametrize("name", [name for name in FILES if FILES[name] != "dexycb"])
def test_targets_that_no_loss_shows_are_judged_by_themselves_or_named(name: str) -> None:
    golden, config = load_golden(PARITY / name), preset(FILES[name])
    by_themselves = {"target_hand_seg", "target_obj_seg"}
    for array in {*UNSHOWN, *by_themselves}:
        changed = Golden(golden.arrays | {array: golden[array] * 1.01}, golden.path)
        disagreeing = {c.array for c in compare_targets(changed, config) if not c.agrees}
        assert disagreeing == {array} & by_themselves
    named = [c.array for c in compare_targets(golden, config) if c.stage == NOT_COMPARED]
    assert sorted(named) == UNSHOWN


def test_a_file_without_joints_is_compared_in_the_rest(network: Network) -> None:
    model, hand_model, golden = network
    rest = {name: array for name, array in golden.arrays.items() if name != "hand_joints"}
    comparisons = list(compare(model, hand_model, Golden(rest, golden.path)))
    assert all(comparison.agrees for comparison in comparisons)
    compared = {(comparison.stage, comparison.array) for comparison in comparisons}
    assert {("hand model", "mano_vertices"), ("end to end", "mano_joints")} <= compared
    assert "hand_joints" not in {array for _, array in compared}


def test_an_array_that_a_loss_needs_is_named(network: Network) -> None:
    model, hand_model, golden = network
    features = model.image_features(golden.inputs.image)
    rest = {name: array for name, array in golden.arrays.items() if name != "target_obj_rot"}
    with torch.no_grad(), pytest.raises(ParityError, match="lacks 'target_obj_rot'"):
        list(compare_losses(model, hand_model, Golden(rest, golden.path), features))
    del rest["loss_obj_rot"], rest["loss_obj_trans"]
    with torch.no_grad():
        losses = list(compare_losses(model, hand_model, Golden(rest, golden.path), features))
    assert len(losses) == 12
    assert all(loss.agrees for loss in losses)


def test_an_unknown_array_is_not_passed_over(network: Network) -> None:
    model, hand_model, golden = network
    changed = Golden(golden.arrays | {"surprise": torch.ones(1)}, golden.path)
    disagreeing = [c.array for c in compare(model, hand_model, changed) if not c.agrees]
    assert disagreeing == ["surprise"]


def test_a_file_without_query_points_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "golden.npz", image=np.zeros(3))
    with pytest.raises(ParityError, match="lacks cam_intr"):
        load_golden(tmp_path / "golden.npz")
