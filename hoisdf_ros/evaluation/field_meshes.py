"""How good the predicted signed distance fields are: their surfaces against the true meshes.

As AlignSDF and gSDF measure (marching cubes, Chamfer distance, F-scores), but a field without a
surface counts as a failure instead of being left out. HOISDF's object field is a worse mesh than
gSDF's; it is there to guide attention, not as a reconstruction.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.evaluation.objects import Pose
from hoisdf_ros.evaluation.surfaces import (
    HAND_THRESHOLDS_M,
    OBJECT_THRESHOLDS_M,
    FieldSummary,
    SurfaceErrors,
    summarise,
    surface_errors,
)
from hoisdf_ros.geometry.closing import close_holes
from hoisdf_ros.network.io import ImageFeatures, NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.fields import predicted_surface


@dataclass(frozen=True)
class FieldMeshes:
    """Surfaces of one sample, predicted or true; axes of the image's camera, metres.

    Args:
        hand: Relative to the hand root; None when the field has no surface, or nothing is true.
        object: Relative to the object centre, likewise.
    """

    hand: Mesh | None
    object: Mesh | None


def predicted_meshes(
    network: Hoisdf, features: ImageFeatures, inputs: NetworkInput, index: int, *, mirror: bool
) -> FieldMeshes:
    """The surfaces of both fields of one crop of a batch.

    Args:
        network: In evaluation mode.
        features: Stage one's answer for the batch.
        inputs: The batch.
        index: Which crop of the batch.
        mirror: It is mirrored (a left hand).
    """
    one = slice(index, index + 1)
    crop = NetworkInput(*(part[one] for part in inputs))
    seen = ImageFeatures(
        tuple(level[one] for level in features.pyramid), *(part[one] for part in features[1:])
    )
    return FieldMeshes(
        predicted_surface(network, seen, crop, "hand", mirror=mirror),
        predicted_surface(network, seen, crop, "object", mirror=mirror),
    )


def true_hand(vertices: Array, faces: NDArray[np.integer], root: Array) -> Mesh:
    """The true hand, closed at the wrist as the field's own training samples are.

    Args:
        vertices: (778, 3) metres, camera frame.
        faces: (1538, 3) of that side's hand model.
        root: (3,) true wrist, metres, camera frame.
    """
    return Mesh(vertices - root, close_holes(np.asarray(faces, dtype=np.int32)))


def true_object(mesh: Mesh, pose: Pose, center: Array) -> Mesh:
    """The true object.

    Args:
        mesh: In its own frame, metres.
        pose: Where it is in the camera frame.
        center: (3,) its true centre in the sense of the network's input, metres, camera frame.
    """
    return Mesh(pose(mesh.vertices) - center, mesh.faces)


class FieldScores:
    """Collects the errors of many samples.

    Args:
        seed: Of the points drawn on the surfaces; those of a sample depend on its number alone.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._added = 0
        self._hands: list[SurfaceErrors | None] = []
        self._objects: list[SurfaceErrors | None] = []

    def add(self, predicted: FieldMeshes, truth: FieldMeshes) -> None:
        """Measure one sample; what has no truth is not counted.

        Raises:
            MeshError: A mesh has no area.
        """
        fields = (
            (self._hands, HAND_THRESHOLDS_M, predicted.hand, truth.hand),
            (self._objects, OBJECT_THRESHOLDS_M, predicted.object, truth.object),
        )
        for place, (errors, thresholds, ours, true) in enumerate(fields):
            if true is None:
                continue
            rng = np.random.default_rng((self._seed, self._added, place))
            found = None if ours is None else surface_errors(ours, true, thresholds, rng)
            errors.append(found)
        self._added += 1

    def summary(self) -> FieldSummary | None:
        """Means over the samples, for `results.Summary.fields`; None when nothing was measured."""
        if not self._hands and not self._objects:
            return None
        return FieldSummary(
            summarise(self._hands, HAND_THRESHOLDS_M) if self._hands else None,
            summarise(self._objects, OBJECT_THRESHOLDS_M) if self._objects else None,
        )
