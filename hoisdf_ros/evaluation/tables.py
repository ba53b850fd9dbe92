"""Results as people and programs read them: Markdown and JSON, millimetres and pixels.

The tables per object have the shape of Tables 11 and 12 of HOISDF's supplementary material:
an object a row, a metric a column, methods side by side, means over samples last.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from hoisdf_ros.errors import EvaluationError, reason
from hoisdf_ros.evaluation.results import HandErrors, ObjectErrors, ObjectSummary, Summary
from hoisdf_ros.evaluation.surfaces import (
    HAND_THRESHOLDS_M,
    OBJECT_THRESHOLDS_M,
    FieldSummary,
    SurfaceSummary,
)

_SHARES = frozenset(
    {"mesh_auc", "f5", "f15", "pa_mesh_auc", "pa_f5", "pa_f15", "rep_5", "abs_add_10"}
)
"""Fields that lie in [0, 1]."""

_PIXELS = "_px"
"""How fields in pixels end; all others are metres."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        field: Of `HandErrors` or `ObjectErrors`.
        title: Its name in the literature.
    """

    field: str
    title: str


DEXYCB_COLUMNS = (Column("oce", "OCE"), Column("mce", "MCE"), Column("adds", "ADD-S"))
"""Table 11."""

HO3D_COLUMNS = (Column("ome", "OME"), Column("adds", "ADD-S"))
"""Table 12."""

HAND_COLUMNS = (
    Column("mje", "MJE"),
    Column("pa_mje", "PA-MJE"),
    Column("stmje", "STMJE"),
    Column("abs_mje", "abs. MJE"),
    Column("mean_pose_mje", "mean pose MJE"),
)
MESH_COLUMNS = (
    Column("mesh", "mesh"),
    Column("mesh_auc", "AUC"),
    Column("f5", "F@5"),
    Column("f15", "F@15"),
    Column("pa_mesh", "PA mesh"),
    Column("pa_mesh_auc", "PA AUC"),
    Column("pa_f5", "PA F@5"),
    Column("pa_f15", "PA F@15"),
)
OBJECT_COLUMNS = (
    *DEXYCB_COLUMNS,
    Column("ome", "OME"),
    Column("abs_oce", "abs. OCE"),
    Column("abs_adds", "abs. ADD-S"),
)
OTHER_OBJECT_COLUMNS = (
    Column("bop_adds", "BOP ADD-S"),
    Column("gsdf_center", "gSDF centre"),
    Column("gsdf_corner", "gSDF corner"),
    Column("reprojection_px", "REP"),
    Column("rep_5", "REP-5"),
    Column("abs_add_10", "ADD-10"),
)
"""Definitions of BOP, gSDF and HFL-Net."""


def object_table(methods: Mapping[str, Summary], columns: Sequence[Column]) -> str:
    """Markdown table of errors per object; distances in mm, shares in per cent.

    Args:
        methods: Results by the name of the method; rows are the objects that any of them has.
        columns: `DEXYCB_COLUMNS`, `HO3D_COLUMNS` or others of `ObjectErrors`.
    """
    names = sorted({name for summary in methods.values() for name in summary.objects})
    heads = [
        f"{method} {_title(column)}" if len(methods) > 1 else _title(column)
        for method in methods
        for column in columns
    ]
    rows = [
        [name, *_cells([summary.objects.get(name) for summary in methods.values()], columns)]
        for name in names
    ]
    means = ["Mean", *_cells([summary.held for summary in methods.values()], columns)]
    return table(["[mm]", *heads], [*rows, means])


def hand_table(methods: Mapping[str, Summary], columns: Sequence[Column] = HAND_COLUMNS) -> str:
    """Markdown table of hand errors, a method a row; distances in mm, shares in per cent."""
    rows = [
        [name, *(_text(summary.hand, column.field) for column in columns)]
        for name, summary in methods.items()
    ]
    return table(["[mm]", *(_title(column) for column in columns)], rows)


def field_table(fields: FieldSummary) -> str:
    """Markdown table of the predicted fields' surfaces, a field a row.

    Chamfer distances are in square centimetres, the mean over surfaces that were found and the
    median over all samples; F-scores in per cent over all samples, at two thresholds each.
    """
    head = ["field", "samples", "without surface", "Chamfer mean [cm²]", "Chamfer median [cm²]"]
    rows = []
    for name, found, thresholds in _fields(fields):
        near, far = (1e3 * threshold for threshold in thresholds)
        scores = " / ".join(f"{100 * score:.1f}" for score in found.f_scores)
        chamfer = (found.chamfer_mean_cm2, found.chamfer_median_cm2)
        counts = [name, str(found.samples), str(found.failed)]
        texts = [f"{value:.2f}" if np.isfinite(value) else "-" for value in chamfer]
        rows.append([*counts, *texts, f"{scores} (at {near:.0f} / {far:.0f} mm)"])
    return table([*head, "F-scores [%]"], rows)


def markdown(summary: Summary, title: str) -> str:
    """All tables of one evaluation as a Markdown text.

    Args:
        summary: The result.
        title: What was evaluated on what.
    """
    parts = [f"# {title}", f"{summary.samples} samples, {summary.hands} hands. Millimetres."]
    if summary.hand is not None:
        parts += ["## Hand", hand_table({title: summary})]
        parts += ["## Hand mesh", hand_table({title: summary}, MESH_COLUMNS)]
    if summary.held is not None:
        parts += ["## Objects", object_table({title: summary}, OBJECT_COLUMNS)]
        parts += ["## Objects by the definitions of BOP, gSDF and HFL-Net"]
        parts += [object_table({title: summary}, OTHER_OBJECT_COLUMNS)]
    if summary.fields is not None:
        parts += ["## Surfaces of the signed distance fields", field_table(summary.fields)]
    return "\n\n".join(parts) + "\n"


def results_as_dict(summary: Summary) -> dict[str, Any]:
    """The result for JSON: keys such as ``mje_mm``, and per object under ``objects``.

    The surfaces of the predicted signed distance fields are under ``fields``. Other distances are
    in millimetres and have ``_mm`` in their key, those in the image in pixels and ``_px``;
    AUC, F-scores and shares lie in [0, 1]. What was not measured is None.
    """
    return {
        "samples": summary.samples,
        "hands": summary.hands,
        **_numbers(summary.hand, HandErrors),
        **_numbers(summary.held.errors if summary.held else None, ObjectErrors),
        "objects": {
            name: {"samples": found.samples, **_numbers(found.errors, ObjectErrors)}
            for name, found in summary.objects.items()
        },
        "fields": _surfaces(summary.fields) if summary.fields else None,
    }


def write_results(
    folder: Path, summary: Summary, title: str, about: Mapping[str, Any] | None = None
) -> None:
    """Write ``results.json`` and ``results.md``.

    Args:
        folder: Made if missing.
        summary: The result.
        title: What was evaluated on what.
        about: How, for the JSON.

    Raises:
        EvaluationError: A file cannot be written.
    """
    document = {"title": title, **(about or {}), **results_as_dict(summary)}
    write_texts(folder, document, markdown(summary, title))


def write_texts(folder: Path, document: Mapping[str, Any], text: str) -> None:
    """Write any result as ``results.json`` and ``results.md``.

    Args:
        folder: Made if missing.
        document: What goes into the one.
        text: What goes into the other.

    Raises:
        EvaluationError: A file cannot be written.
    """
    content = json.dumps(document, indent=2, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(content + "\n", encoding="utf-8")
        (folder / "results.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"cannot write results to {folder}: {reason(error)}") from error


def _fields(
    fields: FieldSummary,
) -> Iterator[tuple[str, SurfaceSummary, tuple[float, ...]]]:
    """Name, result and thresholds of the fields that were measured."""
    if fields.hand is not None:
        yield "hand", fields.hand, HAND_THRESHOLDS_M
    if fields.object is not None:
        yield "object", fields.object, OBJECT_THRESHOLDS_M


def _surfaces(fields: FieldSummary) -> dict[str, dict[str, float | None]]:
    result: dict[str, dict[str, float | None]] = {}
    for name, found, thresholds in _fields(fields):
        chamfer = {
            "chamfer_mean_cm2": found.chamfer_mean_cm2,
            "chamfer_median_cm2": found.chamfer_median_cm2,
        }
        result[name] = {
            "samples": found.samples,
            "failed": found.failed,
            **{key: round(v, 4) if np.isfinite(v) else None for key, v in chamfer.items()},
            **{
                f"f_{1e3 * threshold:.0f}mm": round(score, 4)
                for threshold, score in zip(thresholds, found.f_scores, strict=True)
            },
        }
    return result


def _numbers(
    errors: HandErrors | ObjectErrors | None, kind: type[HandErrors] | type[ObjectErrors]
) -> dict[str, float | None]:
    names = [field.name for field in fields(kind)]
    return {_key(name): _number(getattr(errors, name, None), name) for name in names}


def _key(field: str) -> str:
    return field if field in _SHARES or field.endswith(_PIXELS) else f"{field}_mm"


def _number(value: float | None, field: str) -> float | None:
    """Three decimals of a millimetre or pixel, four of a share; NaN, which JSON lacks, as None."""
    if value is None or not np.isfinite(value):
        return None
    if field in _SHARES:
        return round(value, 4)
    return round(value if field.endswith(_PIXELS) else 1e3 * value, 3)


def _cells(found: Sequence[ObjectSummary | None], columns: Sequence[Column]) -> list[str]:
    return [
        _text(entry.errors if entry else None, column.field)
        for entry in found
        for column in columns
    ]


def _text(errors: HandErrors | ObjectErrors | None, field: str) -> str:
    value: float = getattr(errors, field) if errors is not None else np.nan
    if not np.isfinite(value):
        return "-"
    factor = 100 if field in _SHARES else 1 if field.endswith(_PIXELS) else 1000
    return f"{value * factor:.1f}"


def _title(column: Column) -> str:
    if column.field in _SHARES:
        return f"{column.title} [%]"
    return f"{column.title} [px]" if column.field.endswith(_PIXELS) else column.title


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: names in the first column, numbers in the others."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
