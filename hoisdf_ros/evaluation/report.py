"""One evaluation from request to files: what ``hoisdf evaluate`` does."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.data.by_name import (
    TO_MEASURE,
    Choice,
    DataName,
    NamedData,
    open_named,
    parse_name,
    right_hands_only,
)
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import ConfigError, DataError, EvaluationError
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.evaluation.contact_sheet import contact_sheet, select, write_contact_sheet
from hoisdf_ros.evaluation.evaluate import Evaluation, Run
from hoisdf_ros.evaluation.figures import plot_results
from hoisdf_ros.evaluation.ho3d_submission import to_submission, write_submission
from hoisdf_ros.evaluation.mean_pose import mean_hand
from hoisdf_ros.evaluation.prediction import Predictor
from hoisdf_ros.evaluation.tables import markdown, results_as_dict, write_results
from hoisdf_ros.runtime.loading import weights_file

PLOT, SHEET, SUBMISSION = "errors.png", "contact_sheet.png", "pred.json"

_SHOWN = 4  # best, median and worst samples on the contact sheet
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Request:
    """What to measure.

    Args:
        weights: Checkpoint.
        data: Such as ``synthetic:test``.
        data_root: Folder of a real data set; empty: as its environment variable says.
        samples: How many; None: 1000 synthetic ones, all of other data sets.
        seed: Of synthetic data; None: 0.
        grasps: Of synthetic data; None: as many as the split usually has.
        preset: Of the network; empty: as the weights say.
        hand_model_dir: Folder of MANO's files; empty: the packaged stand-in hand.
        device: auto, cpu or cuda.
        batch_size: Samples of one pass of the network.
        surfaces: Measure the surfaces of the signed distance fields, too.
    """

    weights: str
    data: str
    data_root: str = ""
    samples: int | None = None
    seed: int | None = None
    grasps: int | None = None
    preset: str = ""
    hand_model_dir: str = ""
    device: str = "auto"
    batch_size: int = 8
    surfaces: bool = False


@dataclass(frozen=True, eq=False)
class Report:
    """What came out.

    Args:
        title: What was measured on what.
        about: How, for the JSON.
        evaluation: The errors.
        run: What can predict samples once more.
    """

    title: str
    about: dict[str, Any]
    evaluation: Evaluation
    run: Run

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON; see `tables.results_as_dict`."""
        return {"title": self.title, **self.about, **results_as_dict(self.evaluation.summary)}

    def markdown(self) -> str:
        """The result as tables."""
        return markdown(self.evaluation.summary, self.title)

    def write(self, folder: Path) -> list[Path]:
        """Write all files.

        Returns:
            What was written.

        Raises:
            EvaluationError: A file cannot be written, or a submission lacks frames.
        """
        write_results(folder, self.evaluation.summary, self.title, self.about)
        written = [folder / "results.json", folder / "results.md"]
        summary = self.evaluation.summary
        if summary.hand is not None or summary.held is not None:
            plot_results(self.evaluation.samples, folder / PLOT, self.title)
            self._write_sheet(folder / SHEET)
            written += [folder / PLOT, folder / SHEET]
        if self.evaluation.joints:
            written.append(self._write_submission(folder / SUBMISSION))
        return written

    def _write_sheet(self, path: Path) -> None:
        samples, places = self.evaluation.samples, self.evaluation.places
        chosen = select(samples, _SHOWN)
        sheet = contact_sheet(
            samples, chosen, lambda number: self.run.shown(places[number]), self.title
        )
        write_contact_sheet(path, sheet)

    def _write_submission(self, path: Path) -> Path:
        if self.evaluation.left_out:
            raise EvaluationError(
                f"{path.name} is not written: {dict(self.evaluation.left_out)} of the frames "
                "cannot be predicted, and HO-3D has no way to leave a frame out; check the data set"
            )
        joints, vertices = (
            np.stack(points) for points in (self.evaluation.joints, self.evaluation.vertices)
        )
        write_submission(path, to_submission(joints, vertices), len(self.run.data.samples))
        return path


@dataclass(frozen=True, eq=False)
class Opened:
    """A request that can be met.

    Args:
        name: Of the data set.
        estimator: With the weights.
        choice: How the data set was opened.
        data: The data set.
        limit: Samples at most; None: all there are.
    """

    name: DataName
    estimator: Estimator
    choice: Choice
    data: NamedData
    limit: int | None


def open_request(request: Request) -> Opened:
    """Make the estimator and open the data set.

    Raises:
        HoisdfError: Weights, data or a number cannot be used; the message says why.
    """
    name = parse_name(request.data, request.data_root, TO_MEASURE)
    _refuse_what_has_no_meaning(request, name)
    estimator = Estimator(
        EstimatorConfig(
            weights=request.weights,
            preset=request.preset,
            hand_model_dir=request.hand_model_dir,
            device=request.device,
            backend="eager",  # the reference, so that everybody gets the same numbers
        )
    )
    choice = _choice(request, estimator)
    limit = None if name.kind == "synthetic" else request.samples
    return Opened(name, estimator, choice, open_named(name, choice), limit)


def evaluate(request: Request) -> Report:
    """Measure a checkpoint on a data set.

    Raises:
        HoisdfError: Weights, data or a number cannot be used; the message says why.
    """
    opened = open_request(request)
    name, estimator, data, limit = opened.name, opened.estimator, opened.data, opened.limit
    predictor = Predictor(estimator, request.batch_size, surfaces=request.surfaces)
    run = Run(data, predictor, _mean_hand(data, opened.choice), limit)
    for_submission = (name.kind, name.part, limit) == ("ho3d", "evaluation", None)
    evaluation = run.go(keep=for_submission)
    if name.root is not None and evaluation.summary.held is None:
        note(f"no object is measured: {name.root / 'models'} has no meshes, or nothing is posed")
    info = estimator.describe()
    stored = " (stored)" if name.kind == "shards" else ""
    about = {
        "data": str(name),
        **about_run(request, opened),
        "ms_per_sample": round(evaluation.ms_per_sample, 2),
        "left_out": dict(evaluation.left_out),
    }
    return Report(f"{info.weights} on {data.name}{stored}", about, evaluation, run)


def note(text: str) -> None:
    """Tell the user something beside the result."""
    print(f"note: {text}", file=sys.stderr)


def _refuse_what_has_no_meaning(request: Request, name: DataName) -> None:
    if not request.weights:
        raise ConfigError("no weights: give a checkpoint, such as hoisdf train writes")
    if request.samples is not None and request.samples < 1:
        raise ConfigError(f"--samples {request.samples}: expected 1 or more")
    if name.kind == "synthetic":
        return
    for option, value in (("--seed", request.seed), ("--grasps", request.grasps)):
        if value is not None:
            raise ConfigError(
                f"{option} {value}: data '{request.data}' is not drawn; leave it out, or measure "
                "on synthetic:test"
            )


def _choice(request: Request, estimator: Estimator) -> Choice:
    usual = Choice()
    return Choice(
        samples=request.samples or usual.samples,
        seed=usual.seed if request.seed is None else request.seed,
        grasps=request.grasps,
        hand_model_dir=request.hand_model_dir,
        right_only=right_hands_only(estimator.network.config.name),
    )


def _mean_hand(data: NamedData, choice: Choice) -> Array | None:
    try:
        return mean_hand(data.name, choice)
    except DataError as error:
        note(f"the mean pose is not measured, which the training split is needed for: {error}")
        return None


def about_run(request: Request, opened: Opened) -> dict[str, Any]:
    """How a measurement was made, for the JSON."""
    info, weights = opened.estimator.describe(), weights_file(request.weights)
    assert weights is not None  # refused before
    return {
        "split": opened.data.name.part,
        "seed": opened.data.seed,
        "given": "true wrist and boxes",
        "weights": info.weights,
        "weights_sha256": _sha256(weights),
        "preset": info.preset,
        "hand_model": info.hand_model,
        "device": info.device,
        "precision": info.precision,
        "batch_size": request.batch_size,
    }


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
