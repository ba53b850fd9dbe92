"""The file that HO-3D's challenge and its scorer read: ``pred.json``.

``[joints of all frames, vertices of all frames]`` in the order of ``evaluation.txt``, metres.
It is the only place with that data set's layout: camera frame of OpenGL (x right, y up,
z backwards) and joints in MANO's order.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from hoisdf_ros.conventions import HAND_ORDER_FROM_MANO, NUM_JOINTS, NUM_VERTICES
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError, reason

EVALUATION_FRAMES = {"v2": 11_524, "v3": 20_137}
"""Lines of ``evaluation.txt`` in each version of the data set."""

MANO_FROM_HAND_ORDER = tuple(int(i) for i in np.argsort(HAND_ORDER_FROM_MANO))
"""Index into our 21 joints for each of MANO's 16 joints and five tips."""

OPENGL_FROM_OPTICAL = np.array([1.0, -1.0, -1.0])

_DECIMALS = 6  # micrometres; the file of 11 524 frames has about 300 MB


@dataclass(frozen=True)
class Submission:
    """Hands of all frames as HO-3D wants them, predicted or true.

    Args:
        joints: (N, 21, 3) metres, OpenGL camera frame, MANO's order.
        vertices: (N, 778, 3) metres, OpenGL camera frame.

    Raises:
        EvaluationError: Another shape, no frames, or a coordinate is not finite.
    """

    joints: Array
    vertices: Array

    def __post_init__(self) -> None:
        """Refuse what the scorer could not read."""
        for name, points, count in (
            ("joints", self.joints, NUM_JOINTS),
            ("vertices", self.vertices, NUM_VERTICES),
        ):
            if points.shape != (*self.joints.shape[:1], count, 3) or not len(points):
                raise EvaluationError(
                    f"{name} of shape {points.shape}: expected (N, {count}, 3) with the same "
                    f"N > 0 for both, joints have the shape {self.joints.shape}"
                )
            bad = ~np.isfinite(points).all(axis=(1, 2))
            if bad.any():
                raise EvaluationError(
                    f"{name} of {bad.sum()} frames are not finite, the first is number "
                    f"{int(bad.argmax())}; HO-3D has no way to leave a frame out"
                )


def to_submission(joints: Array, vertices: Array) -> Submission:
    """Bring predictions from this package's conventions into HO-3D's.

    Args:
        joints: (N, 21, 3) metres, optical camera frame, order of `conventions.JOINT_NAMES`.
        vertices: (N, 778, 3) metres, optical camera frame.

    Raises:
        EvaluationError: As `Submission` says.
    """
    ordered = joints[:, MANO_FROM_HAND_ORDER] if joints.shape[1:] == (NUM_JOINTS, 3) else joints
    return Submission(ordered * OPENGL_FROM_OPTICAL, vertices * OPENGL_FROM_OPTICAL)


def write_submission(path: Path, submission: Submission, frames: int) -> None:
    """Write ``pred.json``, rounded to micrometres; the old file stays until the new one is whole.

    Args:
        path: The file to write.
        submission: All frames in the order of ``evaluation.txt``.
        frames: How many there must be; `EVALUATION_FRAMES`, or lines of ``evaluation.txt``.

    Raises:
        EvaluationError: Another number of frames, a hand behind the camera, or the file cannot
            be written.
    """
    if len(submission.joints) != frames:
        raise EvaluationError(
            f"{len(submission.joints)} predicted frames, expected {frames}: predict every line of "
            "evaluation.txt, in its order"
        )
    behind = (submission.joints[..., 2] > 0).all(axis=1)
    if behind.any():
        raise EvaluationError(
            f"the hand of frame {int(behind.argmax())} has z > 0, which is behind an OpenGL "
            "camera; make the submission with to_submission from points of the optical frame"
        )
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.write("[")
            _write_frames(file, submission.joints)
            file.write(", ")
            _write_frames(file, submission.vertices)
            file.write("]")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise EvaluationError(f"cannot write {path}: {reason(error)}") from error


def _write_frames(file: TextIO, points: Array) -> None:
    """Write (N, K, 3) as nested lists, a frame at a time: all at once takes gigabytes."""
    for number, frame in enumerate(points):
        file.write("[" if number == 0 else ", ")
        json.dump(np.round(frame, _DECIMALS).tolist(), file)
    file.write("]")


def read_submission(path: Path) -> Submission:
    """Read a ``pred.json``, ours or anybody's.

    Raises:
        EvaluationError: The file is missing, is no JSON, or is of another layout.
    """
    content = _load(path)
    if not isinstance(content, list) or len(content) != 2:
        raise EvaluationError(f"{path}: expected [joints of all frames, vertices of all frames]")
    joints, vertices = content
    return Submission(_points(path, joints), _points(path, vertices))


def read_truth(folder: Path) -> Submission:
    """Read the truth that HO-3D's authors released in 2024.

    Args:
        folder: Holds ``evaluation_xyz.json`` and ``evaluation_verts.json``.

    Raises:
        EvaluationError: A file is missing, is no JSON, or is of another layout.
    """
    joints, vertices = (folder / f"evaluation_{name}.json" for name in ("xyz", "verts"))
    return Submission(_points(joints, _load(joints)), _points(vertices, _load(vertices)))


def _load(path: Path) -> object:
    try:
        with path.open(encoding="utf-8") as file:
            content: object = json.load(file)
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"cannot read {path} ({reason(error)}); the truth of HO-3D is linked from the README "
            "of github.com/shreyashampali/ho3d, predictions are written by write_submission"
        ) from error
    return content


def _points(path: Path, content: object) -> Array:
    try:
        return np.array(content, dtype=float)
    except (TypeError, ValueError) as error:
        raise EvaluationError(
            f"{path}: expected lists of frames of points of three numbers ({reason(error)})"
        ) from error
