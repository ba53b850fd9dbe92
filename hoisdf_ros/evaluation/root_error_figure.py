"""The curve of errors against an error of the wrist, as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hoisdf_ros.evaluation.figures import FAINT, INK, LEGEND, plain, write_figure

_CURVES = (
    ("pa_mje_mm", "PA-MJE", "#009E73", "--"),
    ("mje_mm", "MJE", "#0072B2", "-"),
    ("adds_mm", "ADD-S", "#D55E00", "-"),
    ("abs_mje_mm", "MJE, camera frame", "#56B4E9", "-."),
    ("refined_abs_mje_mm", "MJE, camera frame, wrist refined by depth", "#CC79A7", ":"),
)
"""Key, name, colour of Okabe and Ito (2008) and dashes."""


def plot_root_errors(
    rows: Sequence[Mapping[str, float | str | None]], path: Path, title: str
) -> None:
    """Draw a panel a direction.

    Args:
        rows: As `root_error_report.as_row` gives them, from small to large errors.
        path: The PNG file; its folder is made.
        title: What was measured on what.

    Raises:
        EvaluationError: The file cannot be written.
    """
    directions = list(dict.fromkeys(str(row["direction"]) for row in rows))
    figure = Figure(figsize=(10.5, 4.9), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    axes = figure.subplots(1, len(directions), squeeze=False, sharey=True)[0]
    for ax, direction in zip(axes, directions, strict=True):
        _draw(ax, [row for row in rows if row["direction"] == direction], direction)
    axes[0].legend(loc="upper left", bbox_to_anchor=(-0.02, -0.15), handlelength=2.6, **LEGEND)
    axes[0].set_ylabel("error [mm]")
    write_figure(figure, path)


def _draw(ax: Axes, rows: Sequence[Mapping[str, float | str | None]], direction: str) -> None:
    for key, name, color, dashes in _CURVES:
        points = [(row["root_error_mm"], row[key]) for row in rows if row[key] is not None]
        if points:
            x, y = zip(*points, strict=True)
            ax.plot(x, y, color=color, linestyle=dashes, marker="o", linewidth=2.0, label=name)
    ax.set_title(f"Wrist moved {direction} the ray", loc="left", fontsize=11, color=INK)
    ax.set_xlabel("error of the wrist given to the network [mm]")
    ax.set_ylim(bottom=0)
    ax.grid(color=FAINT, linewidth=0.8)
    plain(ax)
