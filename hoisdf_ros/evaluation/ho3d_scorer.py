"""HO-3D's challenge on this machine.

Run as::

    python -m hoisdf_ros.evaluation.ho3d_scorer TRUTH_FOLDER --predictions pred.json
    python -m hoisdf_ros.evaluation.ho3d_scorer TRUTH_FOLDER --self-check

The truth is linked from the README of github.com/shreyashampali/ho3d. The self-check scores a
prediction of zeros and compares with the numbers printed there.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError, HoisdfError
from hoisdf_ros.evaluation.alignment import procrustes_align, scale_translation_align
from hoisdf_ros.evaluation.correspondence import distances
from hoisdf_ros.evaluation.ho3d_submission import Submission, read_submission, read_truth
from hoisdf_ros.evaluation.mesh import auc, f_scores

STMJE_REFERENCE = 4
"""The middle knuckle in MANO's order, which the files have."""


@dataclass(frozen=True)
class Ho3dScores:
    """What HO-3D's scorer measures, in its order; distances in metres, the rest in [0, 1].

    PA is `procrustes_align`, of joints and vertices each on their own.

    Args:
        mje, mje_auc: Joints as they are, in the camera frame.
        pa_mje, pa_mje_auc: Joints after PA.
        stmje, stmje_auc: Joints after `scale_translation_align`.
        mesh, mesh_auc: Vertices as they are.
        pa_mesh, pa_mesh_auc: Vertices after PA.
        f5, pa_f5, f15, pa_f15: F-scores of vertices at 5 and 15 mm, as they are and after PA.
    """

    mje: float
    mje_auc: float
    pa_mje: float
    pa_mje_auc: float
    stmje: float
    stmje_auc: float
    mesh: float
    mesh_auc: float
    pa_mesh: float
    pa_mesh_auc: float
    f5: float
    pa_f5: float
    f15: float
    pa_f15: float


_OFFICIAL_NAMES = (
    "xyz_mean3d",
    "xyz_auc3d",
    "xyz_procrustes_al_mean3d",
    "xyz_procrustes_al_auc3d",
    "xyz_scale_trans_al_mean3d",
    "xyz_scale_trans_al_auc3d",
    "mesh_mean3d",
    "mesh_auc3d",
    "mesh_al_mean3d",
    "mesh_al_auc3d",
    "f_score_5",
    "f_al_score_5",
    "f_score_15",
    "f_al_score_15",
)

PUBLISHED_ZEROS = {
    "mje": (0.5687, 5e-5),
    "pa_mje": (0.0519, 5e-5),
    "mesh": (0.5712, 5e-5),
    "pa_mesh": (0.0547, 5e-5),
    "f5": (0.0, 0.05),
    "f15": (0.0, 0.05),
    "pa_f5": (0.0, 5e-4),
    "pa_f15": (0.017, 5e-4),
}
"""Scores of the prediction of zeros on version 2, and half a unit of their last digit.

STMJE is left out: the README says NaN, the scorer has since learnt not to divide by zero."""


def score_frame(predicted: tuple[Array, Array], truth: tuple[Array, Array]) -> Ho3dScores:
    """Score one frame.

    Args:
        predicted, truth: Joints (21, 3) in MANO's order and vertices (778, 3), metres.
    """
    (joints, vertices), (true_joints, true_vertices) = predicted, truth
    aligned = procrustes_align(vertices, true_vertices)
    measured = (
        distances(joints, true_joints),
        distances(procrustes_align(joints, true_joints), true_joints),
        distances(scale_translation_align(joints, true_joints, STMJE_REFERENCE), true_joints),
        distances(vertices, true_vertices),
        distances(aligned, true_vertices),
    )
    means_and_areas = [value for apart in measured for value in (float(apart.mean()), auc(apart))]
    f = f_scores(vertices, true_vertices)
    pa_f = f_scores(aligned, true_vertices)
    return Ho3dScores(*[*means_and_areas, f[0], pa_f[0], f[1], pa_f[1]])


def score(predicted: Submission, truth: Submission) -> Ho3dScores:
    """Score all frames: means over frames of the scores of each.

    Raises:
        EvaluationError: The numbers of frames differ.
    """
    if len(predicted.joints) != len(truth.joints):
        raise EvaluationError(
            f"{len(predicted.joints)} predicted frames, {len(truth.joints)} true ones: expected "
            "one prediction for every line of evaluation.txt; is it another version of HO-3D?"
        )
    frames = zip(
        zip(predicted.joints, predicted.vertices, strict=True),
        zip(truth.joints, truth.vertices, strict=True),
        strict=True,
    )
    progress: Iterable[tuple[tuple[Array, Array], tuple[Array, Array]]] = tqdm(
        frames, total=len(truth.joints), unit="frame", disable=None
    )
    table = np.array([astuple(score_frame(*frame)) for frame in progress])
    return Ho3dScores(*table.mean(axis=0).tolist())


def zeros(count: int) -> Submission:
    """The prediction of HO-3D's template: every joint and vertex at the camera."""
    return Submission(np.zeros((count, 21, 3)), np.zeros((count, 778, 3)))


def self_check(truth: Submission) -> list[str]:
    """Score the prediction of zeros and compare with what HO-3D's README prints.

    Args:
        truth: The released truth of version 2.

    Returns:
        One line per score that differs; empty when this scorer agrees with the published one.
    """
    found = score(zeros(len(truth.joints)), truth)
    return [
        f"{name}: {getattr(found, name):.5f}, published {published}"
        for name, (published, tolerance) in PUBLISHED_ZEROS.items()
        if not abs(getattr(found, name) - published) <= tolerance * (1 + 1e-6)
    ]


def official_text(scores: Ho3dScores) -> str:
    """The scores as the published scorer writes ``scores.txt``: its names, distances in cm."""
    lines = []
    for name, field in zip(_OFFICIAL_NAMES, fields(scores), strict=True):
        factor = 100.0 if name.endswith("mean3d") else 1.0
        lines.append(f"{name}: {factor * getattr(scores, field.name):f}\n")
    return "".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a file or check the scorer; exit status 0 done, 1 self-check failed, 2 refused."""
    parser = argparse.ArgumentParser(prog="ho3d_scorer", description="HO-3D's challenge, locally.")
    parser.add_argument("truth", type=Path, help="folder of evaluation_xyz.json and _verts.json")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--predictions", type=Path, help="pred.json to score")
    task.add_argument("--self-check", action="store_true", help="compare with published scores")
    options = parser.parse_args(arguments)
    try:
        truth = read_truth(options.truth)
        if options.self_check:
            differences = self_check(truth)
            print("\n".join(differences) or "self-check passed: agrees with the published scores")
            return 1 if differences else 0
        print(official_text(score(read_submission(options.predictions), truth)), end="")
    except HoisdfError as error:
        print(f"ho3d_scorer: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
