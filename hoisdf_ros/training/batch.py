"""From a labelled picture to what one training step needs.

Labels are relative to the wrist and the object centre that the network is given, jitter and
all, so that the fields stay where the picture shows the surfaces. A label that is unknown is NaN
and marked so in `Known`; its loss term is left out.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.conventions import MIRROR, NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS
from hoisdf_ros.data.augment import Variation, View, make_view
from hoisdf_ros.data.object_models import Objects
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.data.sdf_samples import PosedObject, SdfSamples, sample_fields
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.mesh import box_corners, mirrored, transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import NetworkInput
from hoisdf_ros.postprocessing.objects import KnownObject

NEAR_SURFACE_M = 0.05
"""Query points are taken from ground-truth points nearer to the surface than this."""

MAP_STRIDE = 2
"""Pixel u of the heatmap and the masks looks at pixel 2 u of the crop."""

_SHARE_DRAWN = 3  # points are drawn so many times as often as they are used


class FieldTarget(NamedTuple):
    """One signed distance field, in its normalised coordinates.

    Attributes:
        points: (B, N, 3) where the loss is taken.
        sdf: (B, N, 1) true distance there, not clamped.
        near: (B, N, 3) other points near the surface, to query.
    """

    points: Tensor
    sdf: Tensor
    near: Tensor


class Targets(NamedTuple):
    """Labels of a batch; NaN where unknown.

    Attributes:
        pixels: (B, 21, 2) joints in pixels of the heatmap.
        joints: (B, 20, 3) joints but the wrist, metres from the wrist that is given.
        hand_mask, object_mask: (B, 1, S/2, S/2) in [0, 1].
        rotations: (B, 16, 3, 3) joint rotations in MANO's order, wrist first.
        shape: (B, 10) betas.
        object_rotation: (B, 3) rotation vector, camera from mesh.
        object_translation: (B, 3) mesh origin, metres from the object centre that is given.
        hand_field, object_field: Signed distances.
    """

    pixels: Tensor
    joints: Tensor
    hand_mask: Tensor
    object_mask: Tensor
    rotations: Tensor
    shape: Tensor
    object_rotation: Tensor
    object_translation: Tensor
    hand_field: FieldTarget
    object_field: FieldTarget


class Known(NamedTuple):
    """Which labels each sample of a batch has, (B,) bool each; stays on the CPU."""

    joints: Tensor
    hand_mask: Tensor
    object_mask: Tensor
    mano: Tensor
    object_pose: Tensor
    hand_field: Tensor
    object_field: Tensor


class Batch(NamedTuple):
    """Samples of one training step; without the axis B, one example.

    Attributes:
        inputs: What the network sees.
        targets: What it should say.
        known: Which of the targets there are.
        keys: The samples' keys.
    """

    inputs: NetworkInput
    targets: Targets
    known: Known
    keys: tuple[str, ...]

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        inputs, targets = (_moved(part, device) for part in (self.inputs, self.targets))
        return self._replace(inputs=inputs, targets=targets)


class ExampleMaker:
    """Makes examples of samples.

    Args:
        network: Of the network: crop, points, scale.
        hand_model: The right hand that the samples' parameters belong to.
        objects: Meshes by object id.
    """

    def __init__(self, network: NetworkConfig, hand_model: HandModel, objects: Objects) -> None:
        self.network, self.hand_model, self.objects = network, hand_model, objects

    def __call__(self, sample: Sample, variation: Variation, rng: np.random.Generator) -> Batch:
        """Make one example.

        Args:
            sample: With the wrist and the hand's box at least.
            variation: How the picture is augmented.
            rng: Draws the fields' points.

        Raises:
            DataError: The sample's wrist or hand box is unknown.
            ImageError: Its boxes lie outside the image.
        """
        known = self.objects.get(sample.object_id) if sample.object_id else None
        view = make_view(sample, self.network, variation, _corners(sample, known))
        numbers = _hand_labels(sample, view) | _object_labels(sample, view)
        hand_field, object_field = self._fields(sample, view, numbers, known, rng)
        targets = Targets(
            hand_mask=_mask(sample.hand_mask, view),
            object_mask=_mask(sample.object_mask, view),
            hand_field=hand_field,
            object_field=object_field,
            **numbers,
        )
        checked = (
            targets.joints,
            targets.hand_mask,
            targets.object_mask,
            targets.rotations,
            targets.object_rotation,
            hand_field.sdf,
            object_field.sdf,
        )
        there = Known(*(torch.isfinite(label).all() for label in checked))
        return Batch(_inputs(view), targets, there, (sample.key,))

    def _fields(
        self,
        sample: Sample,
        view: View,
        numbers: dict[str, Tensor],
        known: KnownObject | None,
        rng: np.random.Generator,
    ) -> tuple[FieldTarget, FieldTarget]:
        """Both fields; without hand model parameters neither, since points lie around the hand."""
        counts = (self.network.hand_points, self.network.object_points)
        if sample.mano is None or sample.hand_root is None:
            return _no_field(counts[0]), _no_field(counts[1])
        hand = self._hand_mesh(numbers, view.turn @ sample.hand_root)
        held = _posed(sample, view, known)
        drawn = sample_fields(hand, held, _SHARE_DRAWN * max(counts), rng)
        distances = (drawn.hand, drawn.object)
        centers = (view.hand_root, view.object_center)
        hand_field, object_field = (
            self._field(drawn, distance, center, count, rng)
            for distance, center, count in zip(distances, centers, counts, strict=True)
        )
        return hand_field, object_field

    @torch.no_grad()
    def _hand_mesh(self, numbers: dict[str, Tensor], wrist: Array) -> Mesh:
        posed: HandGeometry = self.hand_model(numbers["rotations"][None], numbers["shape"][None])
        vertices = posed.vertices[0].double().numpy() + wrist
        return Mesh(vertices, self.hand_model.faces.astype(np.int32))

    def _field(
        self,
        drawn: SdfSamples,
        distance: Array,
        center: Array,
        count: int,
        rng: np.random.Generator,
    ) -> FieldTarget:
        """Choose among the points of both surfaces, which both serve both fields."""
        near = np.flatnonzero(np.abs(distance) < NEAR_SURFACE_M)
        if not len(near):  # no object, or one whose field is unknown
            return _no_field(count)
        scale = self.network.sdf_scale
        points = scale * (drawn.points - center)
        chosen = rng.choice(len(points), count, replace=len(points) < count)
        queried = rng.choice(near, count, replace=len(near) < count)
        sdf = scale * distance[chosen, None]
        return FieldTarget(_tensor(points[chosen]), _tensor(sdf), _tensor(points[queried]))


def collate(examples: Sequence[Batch]) -> Batch:
    """Join examples to a batch."""
    joined: Batch = _stacked(examples)
    return joined


def rows(part: Any, index: Tensor | slice) -> Any:  # noqa: ANN401, any nest of named tuples
    """The entries ``index`` of every tensor in a nest of named tuples, tuples and lists."""
    if isinstance(part, Tensor):
        return part[index]
    if part is None:
        return None
    inner = [rows(each, index) for each in part]
    return type(part)(*inner) if hasattr(part, "_fields") else type(part)(inner)


def _stacked(parts: Sequence[Any]) -> Any:  # noqa: ANN401
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.stack(list(parts))
    if not hasattr(first, "_fields"):  # keys
        return tuple(key for part in parts for key in part)
    return type(first)(*(_stacked(entries) for entries in zip(*parts, strict=True)))


def _moved(part: Any, device: torch.device) -> Any:  # noqa: ANN401
    if isinstance(part, Tensor):
        return part.to(device, non_blocking=True)
    return type(part)(*(_moved(each, device) for each in part))


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(np.asarray(array)).float()


def _unknown(*shape: int) -> Tensor:
    return torch.full(shape, float("nan"))


def _no_field(count: int) -> FieldTarget:
    return FieldTarget(_unknown(count, 3), _unknown(count, 1), _unknown(count, 3))


def _inputs(view: View) -> NetworkInput:
    arrays = (
        view.crop.intrinsics,
        view.hand_root,
        view.object_center,
        view.crop.hand_box.array(),
        view.crop.object_box.array(),
    )
    image = torch.from_numpy(view.image).permute(2, 0, 1).float() / 255
    return NetworkInput(image, *map(_tensor, arrays))


def _hand_labels(sample: Sample, view: View) -> dict[str, Tensor]:
    labels = {
        "pixels": _unknown(NUM_JOINTS, 2),
        "joints": _unknown(NUM_JOINTS - 1, 3),
        "rotations": _unknown(NUM_MANO_JOINTS, 3, 3),
        "shape": _unknown(NUM_BETAS),
    }
    if sample.joints is not None and (sample.joints[:, 2] > 0).all():
        joints = sample.joints @ view.turn.T
        homogeneous = joints @ view.crop.intrinsics.T
        labels["pixels"] = _tensor(homogeneous[:, :2] / homogeneous[:, 2:] / MAP_STRIDE)
        labels["joints"] = _tensor(joints[1:] - view.hand_root)
    if sample.mano is not None:
        flip = MIRROR if view.crop.mirrored else np.eye(3)
        wrist = view.rotation(matrix_from_rotation_vector(sample.mano.orient))
        fingers = flip @ matrix_from_rotation_vector(sample.mano.pose.reshape(-1, 3)) @ flip
        labels["rotations"] = _tensor(np.concatenate([wrist[None], fingers]))
        labels["shape"] = _tensor(sample.mano.betas)
    return labels


def _object_labels(sample: Sample, view: View) -> dict[str, Tensor]:
    rotation, translation = sample.object_rotation, sample.object_translation
    if rotation is None or translation is None:
        return {"object_rotation": _unknown(3), "object_translation": _unknown(3)}
    return {
        "object_rotation": _tensor(rotation_vector_from_matrix(view.rotation(rotation))),
        "object_translation": _tensor(view.turn @ translation - view.object_center),
    }


def _mask(mask: NDArray[np.bool_] | None, view: View) -> Tensor:
    """(1, S/2, S/2) of the crop's mask; zero outside the picture, where nothing is seen."""
    if mask is None:
        side = view.crop.size // MAP_STRIDE
        return _unknown(1, side, side)
    cropped = view.crop.apply(255 * mask.astype(np.uint8))[::MAP_STRIDE, ::MAP_STRIDE]
    return _tensor(cropped[None] / 255)


def _corners(sample: Sample, known: KnownObject | None) -> Array | None:
    rotation, translation = sample.object_rotation, sample.object_translation
    if known is None or rotation is None or translation is None:
        return None
    return transform(box_corners(known.mesh.vertices), rotation, translation)


def _posed(sample: Sample, view: View, known: KnownObject | None) -> PosedObject | None:
    """The object in the view frame, mirrored with it."""
    rotation, translation = sample.object_rotation, sample.object_translation
    if known is None or rotation is None or translation is None:
        return None
    mesh, distance = known.mesh, known.distance
    if view.crop.mirrored:
        mesh, distance = mirrored(mesh), distance.mirrored()
    return PosedObject(mesh, distance, view.rotation(rotation), view.turn @ translation)
