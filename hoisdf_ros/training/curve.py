"""A training log as a picture: how far joints are off, step by step.

``python -m hoisdf_ros.training.curve runs/demo/log.jsonl curve.png`` draws a run; a log whose
lines name a ``run``, as the packaged weights' does, is drawn as a chain of runs.
"""

import argparse
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import DataError, HoisdfError, reason

_TRAINED, _HELD_OUT = "joints", "held_out/mje_mm"
_COLOURS = ("#56B4E9", "#0072B2", "#E69F00")  # Okabe and Ito (2008)
_SMOOTH = 15  # lines of the log
_DOTS_PER_INCH = 130

Point = tuple[int, float]


@dataclass
class Run:
    """What a log says of one run.

    Attributes:
        name: Empty where the log holds one run only.
        trained: Step and the term ``joints`` of the loss: SmoothL1 a coordinate, millimetres.
        held_out: Step and MJE of the held-out pictures, millimetres.
        steps: Of the last line.
    """

    name: str
    trained: list[Point] = field(default_factory=list)
    held_out: list[Point] = field(default_factory=list)
    steps: int = 0


def read_runs(path: Path) -> list[Run]:
    """The runs of a log, in order.

    Raises:
        DataError: It cannot be read, is no log of `hoisdf train`, or tells no joints' errors.
    """
    runs: dict[str, Run] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            _add(runs, json.loads(line))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, TypeError, LookupError) as error:
        raise DataError(
            f"log {path}: {reason(error)}; expected the log.jsonl of 'hoisdf train'"
        ) from error
    if not any(run.trained for run in runs.values()):
        raise DataError(f"log {path} holds no errors of joints; expected a run that learnt them")
    return list(runs.values())


def _add(runs: dict[str, Run], line: dict[str, float]) -> None:
    name = str(line.get("run", ""))
    run = runs.setdefault(name, Run(name))
    run.steps = step = int(line["step"])
    trained = line.get(_TRAINED, line.get(f"loss/{_TRAINED}"))
    for value, points in ((trained, run.trained), (line.get(_HELD_OUT), run.held_out)):
        if value is not None:
            points.append((step, float(value)))


def draw(runs: Sequence[Run]) -> bytes:
    """PNG: the loss of joints while training, and the error on held-out pictures."""
    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.subplots()
    trained = [
        *ax.plot([], [], color=_COLOURS[0], label="training, a coordinate, each batch"),
        *ax.plot([], [], color=_COLOURS[1], label=f"the same, mean of {_SMOOTH}"),
    ]
    held_out: list[Point] = []
    begin = 0
    for run in runs:
        _draw_trained(ax, begin, run.trained)
        held_out += [(begin + step, error) for step, error in run.held_out]
        if run.name:
            ax.axvline(begin, color="0.85", linewidth=0.8)
            ax.annotate(
                run.name,
                (begin, 0.97),
                xycoords=("data", "axes fraction"),
                fontsize=7,
                rotation=90,
                va="top",
                color="0.4",
            )
        begin += run.steps
    measured = ax.plot(*_columns(held_out), "o", color=_COLOURS[2], label="held out, MJE")
    ax.set(xlabel="step", ylabel="joints are off [mm]", xlim=(0, begin), ylim=(0, None))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(handles=[*trained, *measured], frameon=False, fontsize=8, loc="lower left")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=_DOTS_PER_INCH)
    return content.getvalue()


def _draw_trained(ax: Axes, begin: int, points: Sequence[Point]) -> None:
    if not points:
        return
    steps, values = _columns(points)
    ax.plot(begin + steps, values, color=_COLOURS[0], linewidth=0.5)
    width = min(_SMOOTH, len(values))
    mean = np.convolve(values, np.full(width, 1 / width), mode="valid")
    ax.plot(begin + steps[width - 1 :], mean, color=_COLOURS[1])


def _columns(points: Sequence[Point]) -> tuple[Array, Array]:
    rows = np.array(points, dtype=float).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw a log; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hoisdf_ros.training.curve")
    parser.add_argument("log", type=Path, help="log.jsonl of a run")
    parser.add_argument("out", type=Path, help="PNG to write")
    options = parser.parse_args(arguments)
    try:
        picture = draw(read_runs(options.log))
    except HoisdfError as error:
        parser.exit(2, f"error: {error}\n")
    write_atomically(options.out, methodcaller("write", picture))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
