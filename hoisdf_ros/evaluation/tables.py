"""Results as people and programs read them: Markdown and JSON, millimetres.

The tables per object have the shape of Tables 11 and 12 of HOISDF's supplementary material:
an object a row, a metric a column, methods side by side, means over samples last.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from hoisdf_ros.errors import EvaluationError, reason
from hoisdf_ros.evaluation.results import HandErrors, ObjectErrors, ObjectSummary, Summary

_SHARES = frozenset({"mesh_auc", "f5", "f15", "pa_mesh_auc", "pa_f5", "pa_f15"})
"""Fields that are not distances."""


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


def object_table(methods: Mapping[str, Summary], columns: Sequence[Column]) -> str:
    """Markdown table of errors per object in millimetres.

    Args:
        methods: Results by the name of the method; rows are the objects that any of them has.
        columns: `DEXYCB_COLUMNS`, `HO3D_COLUMNS` or others of `ObjectErrors`.
    """
    names = sorted({name for summary in methods.values() for name in summary.objects})
    heads = [
        f"{method} {column.title}" if len(methods) > 1 else column.title
        for method in methods
        for column in columns
    ]
    rows = [
        [name, *_cells([summary.objects.get(name) for summary in methods.values()], columns)]
        for name in names
    ]
    means = ["Mean", *_cells([summary.held for summary in methods.values()], columns)]
    return _table(["[mm]", *heads], [*rows, means])


def hand_table(methods: Mapping[str, Summary], columns: Sequence[Column] = HAND_COLUMNS) -> str:
    """Markdown table of hand errors, a method a row; distances in mm, shares in per cent."""
    rows = [
        [name, *(_text(summary.hand, column.field) for column in columns)]
        for name, summary in methods.items()
    ]
    return _table(["[mm]", *(_title(column) for column in columns)], rows)


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
    return "\n\n".join(parts) + "\n"


def results_as_dict(summary: Summary) -> dict[str, Any]:
    """The result for JSON: keys such as ``mje_mm``, and per object under ``objects``.

    Distances are in millimetres and have ``_mm`` in their key; AUC and F-scores lie in [0, 1].
    What was not measured is None.
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
    }


def write_results(folder: Path, summary: Summary, title: str) -> None:
    """Write ``results.json`` and ``results.md``.

    Args:
        folder: Made if missing.
        summary: The result.
        title: What was evaluated on what.

    Raises:
        EvaluationError: A file cannot be written.
    """
    text = json.dumps({"title": title, **results_as_dict(summary)}, indent=2, allow_nan=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(text + "\n", encoding="utf-8")
        (folder / "results.md").write_text(markdown(summary, title), encoding="utf-8")
    except OSError as error:
        raise EvaluationError(f"cannot write results to {folder}: {reason(error)}") from error


def _numbers(
    errors: HandErrors | ObjectErrors | None, kind: type[HandErrors] | type[ObjectErrors]
) -> dict[str, float | None]:
    names = [field.name for field in fields(kind)]
    return {
        name if name in _SHARES else f"{name}_mm": _number(getattr(errors, name, None), name)
        for name in names
    }


def _number(value: float | None, field: str) -> float | None:
    """Three decimals of a millimetre, four of a share; NaN, which JSON lacks, as None."""
    if value is None or not np.isfinite(value):
        return None
    return round(value, 4) if field in _SHARES else round(1e3 * value, 3)


def _cells(found: Sequence[ObjectSummary | None], columns: Sequence[Column]) -> list[str]:
    return [
        _text(entry.errors if entry else None, column.field)
        for entry in found
        for column in columns
    ]


def _text(errors: HandErrors | ObjectErrors | None, field: str) -> str:
    if errors is None:
        return "-"
    value: float = getattr(errors, field)
    return f"{value * (100 if field in _SHARES else 1000):.1f}"


def _title(column: Column) -> str:
    return f"{column.title} [%]" if column.field in _SHARES else column.title


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
