"""Which object is held: every known mesh is tried on what the frame shows.

Each candidate is laid on the measured depth, or without depth settled onto the predicted zero
level, from the pose that the network says and from others, since a pose is said in the frame of a
mesh that only the true candidate has. Then it is asked how well it lies on the zero level, in the
mask and on the depth, and whether its colours are the seen ones. The answers are weighted to one
probability each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.candidates import Candidate
from hoisdf_ros.postprocessing.field_samples import FieldSamples
from hoisdf_ros.postprocessing.object_pose import MIN_MEASURED, WAYS, middle_of, place, search
from hoisdf_ros.postprocessing.object_view import ObjectView, colour_misfit, outline_misfit
from hoisdf_ros.postprocessing.settling import Poses, Seen, misfit, settle

UNKNOWN = "unknown"
"""Named when no known object fits."""

CUES = ("surface", "level", "measured", "said", "outline", "colour")
"""What is compared, see `Fit`."""

_STARTS = 3  # poses that are settled, the best of all that are tried
_SETTLED = 6  # candidates that are settled, the best before that
_LEVEL_POINTS = 120


@dataclass(frozen=True, eq=False)
class Fit:
    """How a candidate fits one frame.

    Args:
        cues: (6,) `CUES`: mean distances in metres of its surface from the zero level, of the zero
            level and of the measured depth from it; the sum of the first two in the pose that the
            network says; misfit of outline and of colours in [0, 1]; NaN where there is nothing
            to compare.
        rotation: (3, 3) camera-from-mesh of the settled pose.
        translation: (3,) metres, camera frame.
    """

    cues: Array
    rotation: Array
    translation: Array


@dataclass(frozen=True, eq=False)
class Pose:
    """The object's pose as the network says it, camera frame of the image.

    Args:
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) mesh origin, metres.
        center: (3,) origin of the object's field, metres.
    """

    rotation: Array
    translation: Array
    center: Array


def fit_all(
    candidates: Mapping[str, Candidate], field: FieldSamples, view: ObjectView, said: Pose
) -> dict[str, Fit]:
    """Try every candidate on one frame.

    Args:
        candidates: By object id.
        field: The object's field along the axes of the image's camera, from ``said.center``.
        view: What else the frame shows.
        said: By the network.
    """
    level = field.level[_spread(len(field.level), _LEVEL_POINTS)]
    measured = view.measured - said.center if len(view.measured) else view.measured
    seen = Seen(field.grid, level, measured)
    rough = Seen(field.grid, level[::2], measured[::3])
    by_depth = len(measured) >= MIN_MEASURED
    tried = {
        name: _try_on_depth(one, rough, view, said) if by_depth else _try(one, rough, field, said)
        for name, one in candidates.items()
    }
    fits = {}
    for number, name in enumerate(sorted(tried, key=lambda name: tried[name].total)):
        poses, one = tried[name].poses, candidates[name]
        if number < _SETTLED:
            poses = _placed(one, view, poses, said) if by_depth else settle(one.shape, seen, poses)
        fits[name] = _fit(one, poses, seen, view, tried[name])
    return {name: fits[name] for name in candidates}


@dataclass(frozen=True, eq=False)
class _Tried:
    """Where a candidate may be.

    Args:
        poses: The best few of those that were tried, from the field's origin.
        total: Misfit of the best, metres.
        said: Cue of that name.
        center: (3,) the field's origin, camera frame.
    """

    poses: Poses
    total: float
    said: float
    center: Array


def _try(candidate: Candidate, rough: Seen, field: FieldSamples, said: Pose) -> _Tried:
    shape = candidate.rough
    starts = _starts(candidate, field, said)
    apart = misfit(shape, rough, starts)
    order = np.argsort(apart.total)
    as_said = float(apart.surface[0] + apart.level[0])
    best = float(apart.total[order[0]])
    return _Tried(starts.pick(order[:_STARTS]), best, as_said, said.center)


def _try_on_depth(candidate: Candidate, rough: Seen, view: ObjectView, said: Pose) -> _Tried:
    middle = middle_of(candidate, said.rotation, said.translation)
    poses = search(candidate, view, said.rotation, middle)
    poses = Poses(poses.rotation, poses.translation - said.center)
    shape = candidate.rough
    as_said = misfit(shape, rough, Poses(said.rotation[None], (middle - said.center)[None]))
    total = float(misfit(shape, rough, poses).measured[0])
    return _Tried(poses, total, float(as_said.surface[0] + as_said.level[0]), said.center)


def _placed(candidate: Candidate, view: ObjectView, poses: Poses, said: Pose) -> Poses:
    found = place(candidate, view, Poses(poses.rotation, poses.translation + said.center))
    middle = middle_of(candidate, found.rotation, found.translation)
    return Poses(found.rotation[None], (middle - said.center)[None])


def _fit(candidate: Candidate, poses: Poses, seen: Seen, view: ObjectView, tried: _Tried) -> Fit:
    apart = misfit(candidate.shape, seen, poses)
    best = int(np.argmin(apart.total))
    rotation = poses.rotation[best]
    middle = poses.translation[best] + tried.center
    outline = outline_misfit(view, candidate.points @ rotation.T + middle)
    colour = colour_misfit(view, candidate, rotation, middle)
    distances = apart.surface[best], apart.level[best], apart.measured[best]
    cues = np.array([*distances, tried.said, outline, colour])
    return Fit(cues, rotation, middle - rotation @ candidate.middle)


def _starts(candidate: Candidate, field: FieldSamples, said: Pose) -> Poses:
    """The pose that is said, the same turn in the middle of the field, and axes on axes."""
    place = said.rotation @ candidate.middle + said.translation - said.center
    turns = field.axes @ WAYS @ candidate.axes.T
    rotations = np.concatenate([said.rotation[None], said.rotation[None], turns])
    middles = np.broadcast_to(field.middle, (len(rotations) - 1, 3))
    return Poses(rotations, np.concatenate([place[None], middles]))


def _spread(count: int, most: int) -> NDArray[np.int64]:
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)
