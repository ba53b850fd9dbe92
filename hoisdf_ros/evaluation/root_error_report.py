"""The curve of errors against an error of the wrist: from request to files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hoisdf_ros.errors import ConfigError
from hoisdf_ros.evaluation.evaluate import Run
from hoisdf_ros.evaluation.prediction import Predictor
from hoisdf_ros.evaluation.report import Request, about_run, open_request
from hoisdf_ros.evaluation.results import Summary
from hoisdf_ros.evaluation.root_error_figure import plot_root_errors
from hoisdf_ros.evaluation.root_errors import Point, RootErrors
from hoisdf_ros.evaluation.tables import table, write_texts

PLOT = "root_errors.png"

_LARGEST_MM = 300.0

_KEYS = (
    ("mje_mm", "MJE"),
    ("pa_mje_mm", "PA-MJE"),
    ("adds_mm", "ADD-S"),
    ("abs_mje_mm", "abs. MJE"),
    ("abs_adds_mm", "abs. ADD-S"),
    ("refined_mje_mm", "refined MJE"),
    ("refined_abs_mje_mm", "refined abs. MJE"),
    ("refined_abs_adds_mm", "refined abs. ADD-S"),
)


@dataclass(frozen=True, eq=False)
class RootErrorReport:
    """What came out.

    Args:
        title: What was measured on what.
        about: How, for the JSON.
        points: Of all injected errors, direction by direction, each from small to large.
    """

    title: str
    about: Mapping[str, Any]
    points: tuple[Point, ...]

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON; lengths in millimetres."""
        found = [as_row(point) for point in self.points]
        return {"title": self.title, **self.about, "root_errors": found}

    def markdown(self) -> str:
        """The result as a table."""
        rows = []
        for point in self.points:
            values = as_row(point)
            head = f"{values['root_error_mm']:g} {point.injected.direction}"
            rows.append([head, *(_text(values[key]) for key, _ in _KEYS)])
        samples = self.points[0].plain.samples
        parts = [
            f"# {self.title}",
            f"{samples} samples, wrong wrists along the ray or across it. Millimetres.",
            table(["wrist wrong by", *(title for _, title in _KEYS)], rows),
        ]
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write all files.

        Returns:
            What was written.

        Raises:
            EvaluationError: A file cannot be written.
        """
        write_texts(folder, self.as_dict(), self.markdown())
        plot_root_errors([as_row(point) for point in self.points], folder / PLOT, self.title)
        return [folder / "results.json", folder / "results.md", folder / PLOT]


def parse_errors(text: str) -> tuple[float, ...]:
    """Read lengths such as ``0,10,20,50``, millimetres.

    Returns:
        Metres, from small to large.

    Raises:
        ConfigError: It is no list of lengths that a wrist may be wrong by.
    """
    try:
        lengths = sorted({float(word) for word in text.split(",")})
    except ValueError:
        lengths = []
    if not lengths or not 0 <= lengths[0] <= lengths[-1] <= _LARGEST_MM:
        raise ConfigError(
            f"--root-errors {text}: expected millimetres from 0 to {_LARGEST_MM:g} with commas "
            "between, such as 0,10,20,50"
        )
    return tuple(length / 1e3 for length in lengths)


def evaluate_root_errors(request: Request, lengths: Sequence[float]) -> RootErrorReport:
    """Measure a checkpoint with wrong wrists.

    Args:
        request: Weights and data.
        lengths: Of the errors, metres, from small to large.

    Raises:
        HoisdfError: Weights, data or a number cannot be used; the message says why.
    """
    if request.surfaces:
        raise ConfigError("--surfaces has no meaning with --root-errors; leave one out")
    opened = open_request(request)
    run = Run(opened.data, Predictor(opened.estimator, request.batch_size), None, opened.limit)
    points = RootErrors(run, request.batch_size)(lengths)
    title = f"{opened.estimator.describe().weights} on {opened.data.name}, wrong wrists"
    about = {
        "data": str(opened.name),
        **about_run(request, opened),
        "given": "true boxes, wrists that are wrong by root_error_mm",
    }
    return RootErrorReport(title, about, points)


def as_row(point: Point) -> dict[str, float | str | None]:
    """A point of the curve in millimetres, for JSON."""
    return {
        "direction": point.injected.direction,
        "root_error_mm": round(1e3 * point.injected.length, 3),
        **_numbers(point.plain, ""),
        **_numbers(point.refined, "refined_"),
    }


def _numbers(summary: Summary | None, prefix: str) -> dict[str, float | None]:
    hand = None if summary is None else summary.hand
    held = None if summary is None or summary.held is None else summary.held.errors
    values = {
        "mje_mm": None if hand is None else hand.mje,
        "pa_mje_mm": None if hand is None else hand.pa_mje,
        "abs_mje_mm": None if hand is None else hand.abs_mje,
        "adds_mm": None if held is None else held.adds,
        "abs_adds_mm": None if held is None else held.abs_adds,
    }
    return {
        prefix + key: None if value is None else round(1e3 * value, 3)
        for key, value in values.items()
    }


def _text(value: float | str | None) -> str:
    return f"{value:.1f}" if isinstance(value, float) else "-"
