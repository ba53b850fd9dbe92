"""From the errors of each sample to the numbers of a table.

A sample has errors in metres; `Summary` holds their means, still in metres. Millimetres appear
where people or files read them: `tables`.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TypeVar

import numpy as np

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.alignment import rigid_align
from hoisdf_ros.evaluation.correspondence import distances
from hoisdf_ros.evaluation.hand import (
    joint_error,
    pa_joint_error,
    root_relative_joint_error,
    scale_translation_joint_error,
)
from hoisdf_ros.evaluation.mesh import auc, f_scores
from hoisdf_ros.evaluation.objects import (
    Pose,
    add,
    add_10,
    add_s,
    bop_add_s,
    box_diagonal,
    camera_box_error,
    gsdf_center_error,
    gsdf_corner_error,
    hfl_net_error,
    object_origin_error,
    rep_5,
    reprojection_error,
)
from hoisdf_ros.evaluation.surfaces import FieldSummary


@dataclass(frozen=True)
class Hand:
    """One hand, predicted or true, in the camera frame.

    Args:
        joints: (21, 3) metres.
        vertices: (778, 3) metres.
    """

    joints: Array
    vertices: Array


@dataclass(frozen=True)
class HandErrors:
    """Errors of one hand or their means; metres, AUC and F-scores in [0, 1].

    Without ``abs`` in the name, both wrists are at the origin.

    Args:
        mje, pa_mje, stmje: Joints: as they are, after `rigid_align`, scaled by one bone.
        abs_mje: Joints in the camera frame.
        mean_pose_mje: Error of the mean pose instead of the prediction: what looking is worth.
        mesh, mesh_auc, f5, f15: Vertices.
        pa_mesh, pa_mesh_auc, pa_f5, pa_f15: Vertices after `rigid_align` of their own.
    """

    mje: float
    pa_mje: float
    stmje: float
    abs_mje: float
    mean_pose_mje: float
    mesh: float
    mesh_auc: float
    f5: float
    f15: float
    pa_mesh: float
    pa_mesh_auc: float
    pa_f5: float
    pa_f15: float


@dataclass(frozen=True)
class PlacedObject:
    """One object, predicted or true.

    Args:
        pose: Where it is in the camera frame.
        root: (3,) the point it is measured from, metres, camera frame: where the network was told
            the hand or the object is, and where that truly is.
    """

    pose: Pose
    root: Array

    @property
    def relative(self) -> Pose:
        """The pose with the root at the origin."""
        return Pose(self.pose.rotation, self.pose.translation - self.root)


@dataclass(frozen=True)
class ObjectErrors:
    """Errors of one object or their means; metres unless said otherwise.

    Without ``abs`` in the name, both roots are at the origin, as in the published tables; what
    the image shows, reprojection, is of the camera frame always.

    Args:
        oce: Origins of the mesh frames.
        mce: Corners of boxes along the camera's axes.
        ome: Vertices that correspond (ADD).
        adds: Predicted vertices to the nearest true ones (ADD-S).
        bop_adds: True vertices to the nearest predicted ones.
        abs_oce, abs_adds: Origins and ADD-S in the camera frame.
        gsdf_center, gsdf_corner: Middle and corners of the mesh's own box, posed.
        reprojection_px: Vertices that correspond, in the image, pixels; NaN when a vertex is not
            in front of the camera. The mean is over the samples where it is defined.
        rep_5: Share, 1 or 0 for one sample, of reprojections within 5 pixels; an undefined one is
            a miss.
        abs_add_10: Share of ADD, or ADD-S for HFL-Net's symmetric objects, within a tenth of the
            box's diagonal, camera frame.
    """

    oce: float
    mce: float
    ome: float
    adds: float
    bop_adds: float
    abs_oce: float
    abs_adds: float
    gsdf_center: float
    gsdf_corner: float
    reprojection_px: float
    rep_5: float
    abs_add_10: float


@dataclass(frozen=True)
class SampleErrors:
    """What is measured on one sample.

    Args:
        name: Which sample, for pictures of the best and worst.
        hand: None when the sample has no hand.
        object_id: Name of the object; empty when there is none.
        held: Errors of the object; None when there is none.
    """

    name: str
    hand: HandErrors | None = None
    object_id: str = ""
    held: ObjectErrors | None = None


@dataclass(frozen=True)
class ObjectSummary:
    """Means over the samples of one object, or of all.

    Args:
        samples: How many.
        errors: Metres.
    """

    samples: int
    errors: ObjectErrors


@dataclass(frozen=True)
class Summary:
    """The result of an evaluation; means over samples, in metres.

    Args:
        samples: All samples.
        hands: Samples with a hand.
        hand: None without any.
        held: Means over samples, not over objects, as published; None without any object.
        objects: The same for each object, in the order of names.
        fields: Surfaces of the predicted fields; None when they were not measured.
    """

    samples: int
    hands: int
    hand: HandErrors | None
    held: ObjectSummary | None
    objects: dict[str, ObjectSummary]
    fields: FieldSummary | None = None


def hand_errors(predicted: Hand, truth: Hand, mean_pose: Array) -> HandErrors:
    """Measure one hand.

    Args:
        predicted, truth: Camera frame.
        mean_pose: (21, 3) from `hand.mean_pose`, metres, wrist at the origin.

    Raises:
        EvaluationError: A coordinate is not finite, or counts of points differ.
    """
    vertices, true_vertices = (h.vertices - h.joints[WRIST] for h in (predicted, truth))
    aligned = rigid_align(vertices, true_vertices)
    apart, pa_apart = distances(vertices, true_vertices), distances(aligned, true_vertices)
    f5, f15 = f_scores(vertices, true_vertices)
    pa_f5, pa_f15 = f_scores(aligned, true_vertices)
    return HandErrors(
        mje=root_relative_joint_error(predicted.joints, truth.joints),
        pa_mje=pa_joint_error(predicted.joints, truth.joints),
        stmje=scale_translation_joint_error(predicted.joints, truth.joints),
        abs_mje=joint_error(predicted.joints, truth.joints),
        mean_pose_mje=root_relative_joint_error(mean_pose, truth.joints),
        mesh=float(apart.mean()),
        mesh_auc=auc(apart),
        f5=f5,
        f15=f15,
        pa_mesh=float(pa_apart.mean()),
        pa_mesh_auc=auc(pa_apart),
        pa_f5=pa_f5,
        pa_f15=pa_f15,
    )


def object_errors(
    predicted: PlacedObject, truth: PlacedObject, vertices: Array, camera: Camera, object_id: str
) -> ObjectErrors:
    """Measure one object.

    Args:
        predicted, truth: Its poses and the roots they are measured from.
        vertices: (V, 3) mesh at rest, metres; 1000 in published numbers.
        camera: Of the whole image, not of a crop: pixels are counted in it.
        object_id: Name in YCB; says which objects count as symmetric.

    Raises:
        EvaluationError: A coordinate is not finite.
    """
    ours, true = predicted.relative(vertices), truth.relative(vertices)
    placed, true_placed = predicted.pose(vertices), truth.pose(vertices)
    origins, true_origins = predicted.relative.translation, truth.relative.translation
    reprojection = reprojection_error(placed, true_placed, camera)
    tenth = hfl_net_error(object_id, placed, true_placed)
    return ObjectErrors(
        oce=object_origin_error(origins, true_origins),
        mce=camera_box_error(ours, true),
        ome=add(ours, true),
        adds=add_s(ours, true),
        bop_adds=bop_add_s(ours, true),
        abs_oce=object_origin_error(predicted.pose.translation, truth.pose.translation),
        abs_adds=add_s(placed, true_placed),
        gsdf_center=gsdf_center_error(predicted.relative, truth.relative, vertices),
        gsdf_corner=gsdf_corner_error(predicted.relative, truth.relative, vertices),
        reprojection_px=reprojection,
        rep_5=rep_5([reprojection]),
        abs_add_10=add_10([tenth], box_diagonal(vertices)),
    )


def summarise(samples: Sequence[SampleErrors]) -> Summary:
    """Average over samples.

    Raises:
        EvaluationError: There are no samples, or an object has errors but no name.
    """
    if not samples:
        raise EvaluationError("no samples to average over: is the split empty?")
    nameless = [s.name for s in samples if s.held is not None and not s.object_id]
    if nameless:
        raise EvaluationError(f"samples {nameless[:3]} measure an object without a name")
    hands = [sample.hand for sample in samples if sample.hand is not None]
    held = [(s.object_id, s.held) for s in samples if s.held is not None]
    by_name = {
        name: [errors for other, errors in held if other == name]
        for name in sorted({name for name, _ in held})
    }
    return Summary(
        samples=len(samples),
        hands=len(hands),
        hand=_mean(hands) if hands else None,
        held=_object_summary([errors for _, errors in held]) if held else None,
        objects={name: _object_summary(errors) for name, errors in by_name.items()},
    )


def _object_summary(errors: list[ObjectErrors]) -> ObjectSummary:
    return ObjectSummary(len(errors), _mean(errors))


_Errors = TypeVar("_Errors", HandErrors, ObjectErrors)

_MAY_BE_UNDEFINED = frozenset({"reprojection_px"})
"""Fields of which NaN says that there is nothing to measure; elsewhere NaN spoils the mean."""


def _mean(errors: list[_Errors]) -> _Errors:
    """The errors whose every field is the mean of that field."""
    table = np.array([astuple(entry) for entry in errors])
    names = [field.name for field in fields(errors[0])]
    means = {
        name: _mean_where_defined(column) if name in _MAY_BE_UNDEFINED else float(column.mean())
        for name, column in zip(names, table.T, strict=True)
    }
    return type(errors[0])(**means)


def _mean_where_defined(values: Array) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
