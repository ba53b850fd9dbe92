"""What people and programs read: units, keys, gaps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.results import (
    HandErrors,
    ObjectErrors,
    SampleErrors,
    Summary,
    summarise,
)
from hoisdf_ros.evaluation.surfaces import FieldSummary, SurfaceSummary
from hoisdf_ros.evaluation.tables import (
    DEXYCB_COLUMNS,
    HO3D_COLUMNS,
    MESH_COLUMNS,
    OTHER_OBJECT_COLUMNS,
    hand_table,
    markdown,
    object_table,
    results_as_dict,
    write_results,
)

HAND = HandErrors(
    mje=0.0101, pa_mje=0.00513, stmje=0.0098, abs_mje=0.0312, mean_pose_mje=0.0275,
    mesh=0.0099, mesh_auc=0.805, f5=0.601, f15=0.949,
    pa_mesh=0.0049, pa_mesh_auc=0.902, pa_f5=0.818, pa_f15=0.993,
)  # fmt: skip


def held(oce: float, mce: float, adds: float, ome: float = 0.04) -> ObjectErrors:
    return ObjectErrors(
        oce, mce, ome, adds, bop_adds=0.02, abs_oce=0.05, abs_adds=0.03,
        gsdf_center=0.011, gsdf_corner=0.021, reprojection_px=6.25, rep_5=0.4, abs_add_10=0.75,
    )  # fmt: skip


CAN = SampleErrors("0", HAND, "002_master_chef_can", held(0.0159, 0.0202, 0.0102))
BOX = SampleErrors("1", HAND, "003_cracker_box", held(0.0294, 0.0402, 0.0185))
OURS = summarise([CAN, BOX])


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_11() -> None:
    table = object_table({"ours": OURS}, DEXYCB_COLUMNS).splitlines()
    assert [cells(line) for line in table] == [
        ["[mm]", "OCE", "MCE", "ADD-S"],
        ["---", "---:", "---:", "---:"],
        ["002_master_chef_can", "15.9", "20.2", "10.2"],
        ["003_cracker_box", "29.4", "40.2", "18.5"],
        ["Mean", "22.6", "30.2", "14.3"],
    ]


def test_table_12_with_methods_side_by_side_and_an_object_missing() -> None:
    table = object_table({"A": OURS, "B": summarise([BOX])}, HO3D_COLUMNS).splitlines()
    assert cells(table[0]) == ["[mm]", "A OME", "A ADD-S", "B OME", "B ADD-S"]
    assert cells(table[2]) == ["002_master_chef_can", "40.0", "10.2", "-", "-"]
    assert cells(table[-1]) == ["Mean", "40.0", "14.3", "40.0", "18.5"]


def test_shares_are_in_per_cent() -> None:
    table = hand_table({"ours": OURS}, MESH_COLUMNS).splitlines()
    assert cells(table[0])[1:4] == ["mesh", "AUC [%]", "F@5 [%]"]
    assert cells(table[2]) == ["ours", "9.9", "80.5", "60.1", "94.9", "4.9", "90.2", "81.8", "99.3"]


def test_definitions_of_others_with_their_units() -> None:
    table = object_table({"ours": OURS}, OTHER_OBJECT_COLUMNS).splitlines()
    assert cells(table[0])[3:] == ["gSDF corner", "REP [px]", "REP-5 [%]", "ADD-10 [%]"]
    assert cells(table[-1]) == ["Mean", "20.0", "11.0", "21.0", "6.2", "40.0", "75.0"]


def test_what_is_undefined_is_a_dash() -> None:
    undefined = replace(held(0.01, 0.01, 0.01), reprojection_px=np.nan)
    summary = summarise([SampleErrors("0", None, "can", undefined)])
    table = object_table({"ours": summary}, OTHER_OBJECT_COLUMNS).splitlines()
    assert cells(table[-1])[4:6] == ["-", "40.0"]
    assert results_as_dict(summary)["reprojection_px"] is None


def test_every_row_of_every_table_has_as_many_cells_as_its_head() -> None:
    text = markdown(OURS, "demo on synthetic:test")
    assert text.startswith("# demo on synthetic:test\n")
    for table in text.split("\n\n"):
        if table.startswith("|"):
            assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_json_has_the_promised_keys_in_millimetres() -> None:
    found = results_as_dict(OURS)
    assert found["mje_mm"] == 10.1
    assert found["pa_mje_mm"] == 5.13
    assert found["abs_mje_mm"] == 31.2
    assert found["mean_pose_mje_mm"] == 27.5
    assert found["oce_mm"] == 22.65
    assert found["mce_mm"] == 30.2
    assert found["adds_mm"] == 14.35
    assert found["abs_adds_mm"] == 30.0
    assert found["mesh_auc"] == 0.805
    assert found["gsdf_corner_mm"] == 21.0
    assert found["reprojection_px"] == 6.25
    assert (found["rep_5"], found["abs_add_10"]) == (0.4, 0.75)
    assert found["objects"]["003_cracker_box"]["mce_mm"] == 40.2
    assert found["objects"]["003_cracker_box"]["samples"] == 1


FIELDS = FieldSummary(
    SurfaceSummary(40, 0, 0.304, 0.211, (0.174, 0.797), (0.174, 0.797)),
    SurfaceSummary(20, 11, 1.604, np.inf, (0.2, 0.31), (0.434, 0.703)),
)


def test_surfaces_of_fields_say_what_failed() -> None:
    table = markdown(replace(OURS, fields=FIELDS), "a test").split("\n\n")[-1].splitlines()
    assert [cells(line) for line in table[2:]] == [
        ["hand", "40", "0", "0.30", "0.21", "17.4 / 79.7 (at 1 / 5 mm)"],
        ["object", "20", "11", "1.60", "-", "20.0 / 31.0 (at 5 / 10 mm)"],
    ]
    found = results_as_dict(replace(OURS, fields=replace(FIELDS, hand=None)))["fields"]
    assert found == {
        "object": {
            "samples": 20,
            "failed": 11,
            "chamfer_mean_cm2": 1.604,
            "chamfer_median_cm2": None,
            "f_5mm": 0.2,
            "f_10mm": 0.31,
        }
    }
    assert results_as_dict(OURS)["fields"] is None


@pytest.mark.parametrize(
    "summary",
    [
        summarise([SampleErrors("0", HAND)]),
        summarise([SampleErrors("0", None, "can", held(np.nan, 0.1, 0.1))]),
    ],
)
def test_what_was_not_measured_is_null(summary: Summary, tmp_path: Path) -> None:
    write_results(tmp_path / "new" / "folder", summary, "a test")
    found = json.loads((tmp_path / "new" / "folder" / "results.json").read_text())
    assert found["title"] == "a test"
    assert found["oce_mm"] is None
    assert set(results_as_dict(OURS)) <= set(found)
    assert (tmp_path / "new" / "folder" / "results.md").read_text() == markdown(summary, "a test")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot write results to"):
        write_results(tmp_path / "file", OURS, "a test")
