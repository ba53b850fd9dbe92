"""Results as a picture: how many samples are how good, and which objects are hard.

Colours are those of Okabe and Ito (2008), which people tell apart whatever colours they see;
curves differ in their dashes as well.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError, reason
from hoisdf_ros.evaluation.results import SampleErrors

_MM = 1e3
INK, FAINT = "#333333", "#dddddd"
LEGEND: dict[str, Any] = {
    "ncols": 2,
    "fontsize": 8.5,
    "frameon": False,
    "borderaxespad": 0.0,
    "columnspacing": 1.2,
}
_DOTS_PER_INCH = 160
_CURVES_HEIGHT = 4.9


@dataclass(frozen=True)
class Curve:
    """An error that is drawn.

    Args:
        field: Of `HandErrors` or `ObjectErrors`, metres.
        title: Its name in the literature.
        color: Of Okabe and Ito.
        dashes: Line style.
    """

    field: str
    title: str
    color: str
    dashes: str = "-"


HAND_CURVES = (
    Curve("pa_mje", "PA-MJE", "#009E73", "--"),
    Curve("mje", "MJE", "#0072B2"),
    Curve("abs_mje", "MJE, camera frame", "#56B4E9", "-."),
    Curve("mean_pose_mje", "MJE of mean pose", "#888888", ":"),
)
OBJECT_CURVES = (
    Curve("adds", "ADD-S", "#D55E00"),
    Curve("oce", "OCE", "#E69F00", "--"),
    Curve("mce", "MCE", "#CC79A7", "-."),
    Curve("abs_adds", "ADD-S, camera frame", "#888888", ":"),
)
OBJECT_BARS = OBJECT_CURVES[:3]


def plot_results(samples: Sequence[SampleErrors], path: Path, title: str) -> None:
    """Draw error curves of hand and object, and a group of bars per object.

    Args:
        samples: The errors of each sample.
        path: The PNG file; its folder is made.
        title: What was evaluated on what.

    Raises:
        EvaluationError: There is nothing to draw, or the file cannot be written.
    """
    hands = [sample.hand for sample in samples if sample.hand is not None]
    held = [sample for sample in samples if sample.held is not None]
    panels = [
        (name, errors, curves)
        for name, errors, curves in (
            ("Hand", hands, HAND_CURVES),
            ("Object", [sample.held for sample in held], OBJECT_CURVES),
        )
        if errors
    ]
    if not panels:
        raise EvaluationError(f"none of {len(samples)} samples has errors: nothing to draw")
    names = {sample.object_id for sample in held}
    bars_height = 1.0 + 0.42 * len(names) if names else 0.0
    width = 10.5 if len(panels) > 1 else 7.5
    figure = Figure(figsize=(width, _CURVES_HEIGHT + bars_height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    top: Figure | SubFigure = figure
    if names:
        top, bottom = figure.subfigures(2, 1, height_ratios=[_CURVES_HEIGHT, bars_height])
        _draw_bars(bottom.subplots(), held)
    axes = top.subplots(1, len(panels), squeeze=False)[0]
    for ax, (name, errors, curves) in zip(axes, panels, strict=True):
        table: dict[Curve, Array] = {}
        for curve in curves:
            values = np.array([getattr(entry, curve.field) for entry in errors])
            # given the true wrist, the camera frame tells nothing new and would hide a curve
            if not any(np.allclose(values, other, atol=1e-6) for other in table.values()):
                table[curve] = values
        _draw_curves(ax, table, f"{name}: {len(errors)} samples, means below")
    write_figure(figure, path)


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; the folder is made.

    Raises:
        EvaluationError: The file cannot be written.
    """
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH, bbox_inches="tight", pad_inches=0.15)
    try:
        write_atomically(path, lambda file: file.write(content.getbuffer()))
    except OSError as error:
        raise EvaluationError(f"cannot write the plot {path}: {reason(error)}") from error


def share_within(errors: Array, thresholds: Array) -> Array:
    """(T,) share of errors (N,) that are at most each of (T,) thresholds; NaN is never."""
    ordered = np.sort(errors[~np.isnan(errors)])
    share: Array = np.searchsorted(ordered, thresholds, side="right") / len(errors)
    return share


def axis_end(errors: Sequence[Array]) -> float:
    """Where an axis of thresholds ends, millimetres: most of most curves lies before it.

    Args:
        errors: (N,) metres, one entry a curve.
    """
    known = [found[np.isfinite(found)] for found in errors]
    ends = [np.quantile(_MM * found, 0.9) for found in known if len(found)]
    wanted = float(np.median(ends)) if ends else 50.0
    steps = (5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500)
    return float(next((step for step in steps if step >= wanted), 500))


def _draw_curves(ax: Axes, table: dict[Curve, Array], title: str) -> None:
    end = axis_end(list(table.values()))
    thresholds: Array = np.linspace(0, end, 501, dtype=np.float64)
    for curve, errors in table.items():
        mean = _MM * float(np.mean(errors))
        ax.plot(
            thresholds,
            100 * share_within(_MM * errors, thresholds),
            color=curve.color,
            linestyle=curve.dashes,
            linewidth=2.2,
            label=f"{curve.title}: {mean:.1f} mm",
        )
    ax.set(xlim=(0, end), ylim=(0, 101), xlabel="error at most [mm]", ylabel="samples [%]")
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    # below the axes, where no curve is
    ax.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.15), handlelength=2.6, **LEGEND)
    ax.grid(color=FAINT, linewidth=0.8)
    plain(ax)


def _draw_bars(ax: Axes, held: Sequence[SampleErrors]) -> None:
    names = sorted({sample.object_id for sample in held})
    groups = [[s.held for s in held if s.object_id == name] for name in names]
    thick = 0.8 / len(OBJECT_BARS)
    place = np.arange(len(names), dtype=float)
    longest = 0.0
    for k, bar in enumerate(OBJECT_BARS):
        means = [_MM * float(np.mean([getattr(e, bar.field) for e in g])) for g in groups]
        longest = max([longest, *(mean for mean in means if np.isfinite(mean))])
        offset = (k - (len(OBJECT_BARS) - 1) / 2) * thick
        drawn = ax.barh(place + offset, means, 0.9 * thick, color=bar.color, label=bar.title)
        ax.bar_label(drawn, fmt="%.1f", padding=3, fontsize=7, color=INK)
    labels = [f"{name}  ({len(group)})" for name, group in zip(names, groups, strict=True)]
    ax.set_yticks(place, labels, fontsize=8.5)
    ax.set(xlabel="mean error [mm]", ylim=(len(names) - 0.45, -0.55))
    ax.set_xlim(0, 1.08 * longest if longest > 0 else 1.0)
    ax.set_title("Each object (number of samples)", loc="left", fontsize=11, color=INK)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.01), **(LEGEND | {"ncols": 3}))
    ax.grid(axis="x", color=FAINT, linewidth=0.8)
    plain(ax)


def plain(ax: Axes) -> None:
    """Axes without what does not tell anything."""
    ax.set_axisbelow(True)
    ax.tick_params(colors=INK, length=0)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#999999")
