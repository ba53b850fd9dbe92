"""Sequences from request to files: what ``hoisdf evaluate --localise`` does."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.data.by_name import TO_MEASURE, parse_name
from hoisdf_ros.data.hard_scenes import HARD_SCENES, HardSequences, needed, scene_named
from hoisdf_ros.data.synthetic_sequences import SECONDS, SyntheticSequences
from hoisdf_ros.data.synthetic_streams import SPLITS
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.evaluation.live import GIVEN, Live, Localise, Videos, settings
from hoisdf_ros.evaluation.sequence_figure import plot_sequences
from hoisdf_ros.evaluation.sequence_tables import (
    FrameTimes,
    frame_times,
    sequence_dict,
    sequence_markdown,
)
from hoisdf_ros.evaluation.sequences import Measured, measure
from hoisdf_ros.evaluation.tables import write_texts

SEQUENCES, SCENE_SEQUENCES = 14, 3
"""How many there are unless asked otherwise: two of each kind; of each hard scene."""

ALL_SCENES = "all"
PLOT = "wrists.png"

_POINTS = 1000  # of an object's mesh


@dataclass(frozen=True)
class SequenceRequest:
    """What to measure.

    Args:
        estimator: How it is served; its depth mode follows `localise`.
        data: Such as ``synthetic:test``.
        localise: What the estimator is told.
        scenes: Names of `HARD_SCENES` with commas between, or `ALL_SCENES`; empty: the usual
            sequences.
        sequences: How many, of hard scenes of each; None: the usual number.
        seed: Another seed, other sequences.
        grasps: Of the grasp bank; None: as many as the split usually has.
        seconds: How long a sequence is.
        every: Only every so many frames are shown.
    """

    estimator: EstimatorConfig
    data: str
    localise: Localise
    scenes: str = ""
    sequences: int | None = None
    seed: int = 0
    grasps: int | None = None
    seconds: float = SECONDS
    every: int = 1


@dataclass(frozen=True, eq=False)
class SequenceReport:
    """What came out.

    Args:
        title: What was measured on what.
        about: How, for the JSON.
        measured: The results.
        times: Of a frame.
        given: What the estimator was told.
    """

    title: str
    about: Mapping[str, Any]
    measured: Measured
    times: FrameTimes
    given: str

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON; see `sequence_tables.sequence_dict`."""
        return {"title": self.title, **self.about, **sequence_dict(self.measured, self.times)}

    def markdown(self) -> str:
        """The result as tables."""
        return sequence_markdown(self.measured, self.times, self.title, self.given)

    def write(self, folder: Path) -> list[Path]:
        """Write all files.

        Returns:
            What was written.

        Raises:
            EvaluationError: A file cannot be written.
        """
        write_texts(folder, self.as_dict(), self.markdown())
        written = [folder / "results.json", folder / "results.md"]
        if self.measured.total.hands:
            plot_sequences(self.measured, folder / PLOT, self.title)
            written.append(folder / PLOT)
        return written


def evaluate_sequences(request: SequenceRequest) -> SequenceReport:
    """Show the served estimator sequences and measure what it says.

    Raises:
        HoisdfError: Weights, data or a number cannot be used; the message says why.
    """
    name = parse_name(request.data, "", TO_MEASURE)
    if name.kind != "synthetic":
        raise ConfigError(
            f"--localise with data '{request.data}': only synthetic data has sequences; leave "
            "--localise out, or measure on synthetic:test"
        )
    if not request.estimator.weights:
        raise ConfigError("no weights: give a checkpoint, such as hoisdf train writes")
    sequences, videos = _videos(request, name.part)
    estimator = Estimator(settings(request.estimator, request.localise))
    info = estimator.describe()
    if request.localise != "given" and info.detector != "builtin":
        raise ConfigError(f"--localise {request.localise} needs the hand detector: {info.detector}")
    live = Live(estimator, request.localise)
    try:
        pairs = live(videos, request.every)
        measured = measure(pairs, points_of(sequences.meshes), lambda key: live.groups[key])
    finally:
        sequences.close()
    what = "hard scenes" if request.scenes else "sequences"
    title = f"{info.weights} on {what} of {name}, {request.localise}"
    about = {
        "data": str(name),
        "split": name.part,
        "seed": request.seed,
        "localise": request.localise,
        "given": GIVEN[request.localise],
        "sequences": len(videos),
        "seconds": request.seconds,
        "every": request.every,
        "weights": info.weights,
        "weights_hash": info.weights_hash,
        "detector": info.detector,
        "preset": info.preset,
        "hand_model": info.hand_model,
        "backend": info.backend,
        "device": info.device,
        "precision": info.precision,
    }
    return SequenceReport(
        title, about, measured, frame_times(live.times_ms), GIVEN[request.localise]
    )


def points_of(meshes: Mapping[str, Mesh]) -> dict[str, Array]:
    """By object id, (1000, 3) or fewer vertices, metres, spread evenly over a mesh's list."""
    places = {
        name: np.unique(np.linspace(0, len(mesh.vertices) - 1, _POINTS).astype(int))
        for name, mesh in meshes.items()
    }
    return {name: mesh.vertices[places[name]] for name, mesh in meshes.items()}


def _videos(request: SequenceRequest, part: str) -> tuple[SyntheticSequences, Videos]:
    """What is shown, and what it is made of."""
    count = request.sequences
    if count is None:
        count = SCENE_SEQUENCES if request.scenes else SEQUENCES
    if count < 1 or request.every < 1:
        raise ConfigError(
            f"--sequences {count}, --every {request.every}: expected 1 or more of each"
        )
    names = request.scenes.split(",") if request.scenes else []
    names = list(HARD_SCENES) if names == [ALL_SCENES] else list(dict.fromkeys(names))
    for name in names:
        scene_named(name)
    split = next(split for split in SPLITS if split == part)
    sequences = SyntheticSequences(
        split,
        needed(count) if names else count,
        request.seed,
        seconds=request.seconds,
        grasps=request.grasps,
    )
    return sequences, HardSequences(sequences, names, count) if names else sequences
