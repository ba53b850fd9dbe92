"""Sequences as a picture: how many hands are found how near to where they are."""

from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.figures import FAINT, INK, LEGEND, plain, share_within, write_figure
from hoisdf_ros.evaluation.sequence_tables import ALL
from hoisdf_ros.evaluation.sequences import Measured, SequenceResult

_END_MM = 100.0
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
"""Okabe and Ito (2008)."""

_DASHES = ("-", "--", "-.")


def plot_sequences(measured: Measured, path: Path, title: str) -> None:
    """Draw a curve a group: share of hands whose wrist is found within a distance.

    Args:
        measured: The results; groups without hands have no curve.
        path: The PNG file; its folder is made.
        title: What was measured on what.

    Raises:
        EvaluationError: No group has a hand, or the file cannot be written.
    """
    rows = {ALL: measured.total, **measured.groups}
    rows = {name: result for name, result in rows.items() if result.hands}
    if not rows:
        raise EvaluationError("no sequence shows a hand: nothing to draw")
    figure = Figure(figsize=(9.5, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    limits: Array = np.linspace(0.0, _END_MM, 401, dtype=np.float64)
    styles = cycle((color, dash) for dash in _DASHES for color in _COLORS)
    for name, result in rows.items():
        color, dash = ("#000000", "-") if name == ALL else next(styles)
        shares = 100 * share_within(errors_mm(result), limits)
        label = f"{name} ({result.hands})"
        ax.plot(limits, shares, color=color, linestyle=dash, linewidth=2.0, label=label)
    ax.set(xlim=(0, _END_MM), ylim=(0, 101), ylabel="hands [%]")
    ax.set_xlabel("wrist found within [mm], camera frame")
    ax.set_title(title, loc="left", fontsize=11, color=INK)
    ax.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.12), handlelength=2.6, **LEGEND)
    ax.grid(color=FAINT, linewidth=0.8)
    plain(ax)
    write_figure(figure, path)


def errors_mm(result: SequenceResult) -> Array:
    """(hands,) wrist errors, millimetres; NaN of hands that are not found."""
    missed = result.hands - len(result.wrists_mm)
    return np.concatenate([np.array(result.wrists_mm, dtype=float), np.full(missed, np.nan)])
