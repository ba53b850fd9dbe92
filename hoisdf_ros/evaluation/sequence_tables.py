"""Results of sequences as Markdown and as JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hoisdf_ros.evaluation.confidence import WRONG_M
from hoisdf_ros.evaluation.sequences import JSON_KEYS, Measured, SequenceResult
from hoisdf_ros.evaluation.tables import table

ALL = "all"

Value = float | int | None


@dataclass(frozen=True)
class _Column:
    """A column of a table.

    Args:
        title: Its head.
        value: What stands in it.
        digits: Behind the point.
    """

    title: str
    value: Callable[[SequenceResult], Value]
    digits: int = 0


def _share(value: float | None) -> float | None:
    return None if value is None else 100 * value


_PLACES = (
    _Column("hands", lambda r: r.hands),
    _Column("wrist median", lambda r: r.wrist_median_mm, 1),
    _Column("wrist p90", lambda r: r.wrist_p90_mm, 1),
    _Column("abs. MJE", lambda r: r.abs_mje_mm, 1),
    _Column("MJE", lambda r: r.mje_mm, 1),
    _Column("abs. ADD-S", lambda r: r.abs_adds_mm, 1),
    _Column("jitter", lambda r: r.jitter_mm, 1),
)
_FINDINGS = (
    _Column("found [%]", lambda r: _share(r.detection_recall)),
    _Column("false alarms a minute", lambda r: r.false_alarms_per_minute, 1),
    _Column("first pose after [s]", lambda r: r.first_pose_s, 2),
    _Column("never found", lambda r: r.never_found),
    _Column("gone after [s]", lambda r: r.loss_s, 2),
    _Column("id switches", lambda r: r.id_switches),
    _Column("side right [%]", lambda r: _share(r.side_accuracy)),
    _Column("object right [%]", lambda r: _share(r.object_id_accuracy)),
)
_TRUST = (
    _Column("frames", lambda r: r.frames),
    _Column("estimates", lambda r: r.estimates),
    _Column(f"wrong by {1e3 * WRONG_M:.0f} mm", lambda r: r.wrong),
    _Column("confidently wrong", lambda r: r.confident_wrong),
    _Column("true wrist allowed for [%]", lambda r: _share(r.wrist_covered)),
)


@dataclass(frozen=True)
class FrameTimes:
    """How long a frame takes.

    Args:
        median_ms, p90_ms: Milliseconds.
    """

    median_ms: float
    p90_ms: float


def frame_times(times_ms: Sequence[float]) -> FrameTimes:
    """Median and 90th percentile of (N,) milliseconds, N > 0."""
    median, p90 = np.quantile(times_ms, [0.5, 0.9])
    return FrameTimes(float(median), float(p90))


def sequence_markdown(measured: Measured, times: FrameTimes, title: str, given: str) -> str:
    """All tables of one measurement as a Markdown text.

    Args:
        measured: The results.
        times: Of a frame.
        title: What was measured on what.
        given: What the estimator was told.
    """
    rows = {**measured.groups, ALL: measured.total}
    taken = f"A frame takes {times.median_ms:.0f} ms (median; p90 {times.p90_ms:.0f} ms)."
    parts = [
        f"# {title}",
        f"Told: {given}. {taken}",
        "## Where it is, millimetres",
        _table(rows, _PLACES),
        "## What is found",
        _table(rows, _FINDINGS),
        "## Whether to believe it",
        _table(rows, _TRUST),
    ]
    return "\n\n".join(parts) + "\n"


def sequence_dict(measured: Measured, times: FrameTimes) -> dict[str, Any]:
    """The result for JSON: the entries of `JSON_KEYS`, and everything else, rounded.

    Lengths are in millimetres and have ``_mm`` in their key, times in seconds or milliseconds,
    shares lie in [0, 1]. What could not be measured is None. ``groups`` has the same of every
    group.
    """
    return {
        **_entries(measured.total),
        "frame_median_ms": round(times.median_ms, 1),
        "frame_p90_ms": round(times.p90_ms, 1),
        "groups": {name: _entries(result) for name, result in measured.groups.items()},
    }


def _entries(result: SequenceResult) -> dict[str, Value]:
    values = {name: value for name, value in asdict(result).items() if name != "wrists_mm"}
    first = {key: values[key] for key in JSON_KEYS}
    return {name: _rounded(value) for name, value in (first | values).items()}


def _rounded(value: Value) -> Value:
    return round(value, 4) if isinstance(value, float) else value


def _table(rows: Mapping[str, SequenceResult], columns: Sequence[_Column]) -> str:
    head = ["", *(column.title for column in columns)]
    cells = [
        [name, *(_text(column.value(result), column.digits) for column in columns)]
        for name, result in rows.items()
    ]
    return table(head, cells)


def _text(value: Value, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
