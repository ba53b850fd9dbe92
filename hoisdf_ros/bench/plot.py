"""A measurement as a picture: where the time goes."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_BARS = (
    ("dense_eager_ms", "network, exact"),
    ("network_ms", "network"),
    ("core_ms", "image to estimate"),
    ("detector_ms", "finding hands"),
    ("node_overhead_ms", "node's own"),
)
_COLOURS = ("#0072B2", "#E69F00", "#009E73")  # Okabe and Ito (2008)
_DOTS_PER_INCH = 130


def plot(document: dict[str, Any]) -> bytes:
    """PNG: medians with a mark at p99; where measured, the cost of hands, lattice and search."""
    scaling = "hands" in document
    figure = Figure(figsize=(15.0 if scaling else 6.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"{document['preset']}, {document['backend']}, {document['precision']}: "
        f"{document['machine']}",
        fontsize=10,
    )
    axes = figure.subplots(1, 4 if scaling else 1, squeeze=False)[0]
    _draw_times(axes[0], document)
    if scaling:
        _draw_hands(axes[1], document["hands"])
        _draw_lattices(axes[2], document["lattices"])
        _draw_searches(axes[3], document["searches"])
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH)
    return content.getvalue()


def _draw_times(ax: Axes, document: dict[str, Any]) -> None:
    bars = [(title, document[key]) for key, title in _BARS if document.get(key)]
    names, medians = [title for title, _ in bars], [time["median"] for _, time in bars]
    drawn = ax.barh(names, medians, color=_COLOURS[0])
    ax.bar_label(drawn, fmt="%.1f", padding=14, fontsize=8)
    ax.plot([time["p99"] for _, time in bars], names, "|", color=_COLOURS[1], label="p99")
    ax.invert_yaxis()
    ax.set(xlabel="median [ms]", xlim=(0, None))
    ax.legend(frameon=False, fontsize=8)


def _draw_hands(ax: Axes, rows: list[dict[str, Any]]) -> None:
    hands = [row["hands"] for row in rows]
    for name, label, colour in (
        ("batched_ms", "one batch", _COLOURS[0]),
        ("singly_ms", "one after the other", _COLOURS[1]),
    ):
        ax.plot(hands, [row[name]["median"] for row in rows], "o-", color=colour, label=label)
    ax.set(xlabel="hands", ylabel="network, median [ms]", ylim=(0, None), xticks=hands)
    ax.legend(frameon=False, fontsize=8)


def _draw_lattices(ax: Axes, rows: list[dict[str, Any]]) -> None:
    sizes = [row["lattice"] for row in rows]
    times = [row["network_ms"]["median"] for row in rows]
    ax.plot(sizes, times, "o-", color=_COLOURS[2])
    ax.set(xlabel="lattice, points along an edge", ylabel="network, eager, median [ms]")
    ax.set(ylim=(0, None), xticks=sizes)


def _draw_searches(ax: Axes, rows: list[dict[str, Any]]) -> None:
    for lattice, colour in zip(sorted({row["lattice"] for row in rows}), _COLOURS, strict=False):
        own = [row for row in rows if row["lattice"] == lattice]
        points = [row["points_evaluated"] for row in own]
        moved = [max(row["joint_mm_p99"], row["object_mm_p99"]) for row in own]
        ax.plot(points, moved, "o-", color=colour, label=f"lattice {lattice}^3")
    ax.axhline(0.5, color="0.6", linewidth=0.8)
    ax.set(xlabel="points evaluated", ylabel="moved from dense, p99 [mm]")
    ax.set_yscale("symlog", linthresh=0.1)
    ax.set(xlim=(0, None), ylim=(0, None))
    ax.legend(frameon=False, fontsize=8)
