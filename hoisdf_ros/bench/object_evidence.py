"""What is known of the held object in a labelled picture.

As a network says it; or the truth, spoilt on purpose about as much as a network would.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.object_models import Objects
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.evaluation.prediction import look_at
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in
from hoisdf_ros.postprocessing.field_samples import FieldSamples, sample_field, unmirrored
from hoisdf_ros.postprocessing.field_surface import Field
from hoisdf_ros.postprocessing.identity import Pose
from hoisdf_ros.postprocessing.object_view import Masks
from hoisdf_ros.preprocessing.crop import Crop, make_crop
from hoisdf_ros.preprocessing.roots import object_center
from hoisdf_ros.runtime.fields import predicted_field


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of one picture, along the axes of its camera.

    Args:
        crop: What the network sees.
        masks: Of the crop.
        said: The object's pose.
        field: Its field, from ``said.center``; None when nothing is inside.
        skin: (778, 3) vertices of the hand, metres, camera frame.
    """

    crop: Crop
    masks: Masks
    said: Pose
    field: FieldSamples | None
    skin: Array


class NetworkWitness:
    """Evidence from a network, given the true wrist and boxes.

    Args:
        estimator: Whose fields are asked.
    """

    def __init__(self, estimator: Estimator) -> None:
        self._estimator, self._model = estimator, estimator.network.model

    def __call__(self, sample: Sample, number: int) -> Evidence:  # noqa: ARG002
        """What the network says of one picture."""
        estimator = self._estimator
        look = look_at(sample, estimator.config)
        inputs = estimator.inputs(look)
        output = estimator.network.backend(inputs)
        (raw,) = estimator.read(output, [look])
        estimator.reset()
        hand, _ = estimator.place(raw, look)
        held, flip = raw[1], MIRROR if look.mirrored else np.eye(3)
        network, config = self._model, estimator.network.config
        field = predicted_field(network, output.features, inputs, "object")
        crop = make_crop(
            look.region.hand.box, look.held_box, sample.camera, config, mirror=look.mirrored
        )
        masks = (output.features.hand_mask, output.features.object_mask)
        rotation = flip @ matrix_from_rotation_vector(held.rotation) @ flip
        return Evidence(
            crop,
            Masks(*(mask[0, 0].double().cpu().numpy() for mask in masks)),
            Pose(rotation, held.center + flip @ held.translation, held.center),
            sample_field(unmirrored(field) if look.mirrored else field, 1 / config.sdf_scale),
            hand.vertices,
        )


class TrueWitness:
    """Evidence from the labels.

    Args:
        network: Whose crop is taken.
        objects: The true meshes.
        spoilt: How much errors like a network's are added; 0 is the truth, 1 about what a small
            network is expected to say.
    """

    def __init__(self, network: NetworkConfig, objects: Objects, spoilt: float = 0.0) -> None:
        self._network, self._objects, self._spoilt = network, objects, spoilt
        self._hands = {side: HandModel(load_stand_in(side)) for side in (Side.LEFT, Side.RIGHT)}

    def __call__(self, sample: Sample, number: int) -> Evidence:
        """The truth of one picture; ``number`` seeds the errors.

        Raises:
            EvaluationError: The sample has no hand.
        """
        if sample.hand_box is None or sample.hand_root is None or sample.mano is None:
            raise EvaluationError(f"sample '{sample.key}' has no hand to look at")
        rng = np.random.default_rng((number, 7))
        box = sample.object_box or sample.hand_box
        mirror = sample.side is Side.LEFT
        crop = make_crop(sample.hand_box, box, sample.camera, self._network, mirror=mirror)
        masks = Masks(*(self._mask(m, crop, rng) for m in (sample.hand_mask, sample.object_mask)))
        center = object_center(box, float(sample.hand_root[2]), sample.camera)
        edge = 1 / self._network.sdf_scale
        said, field = self._object(sample, center, rng)
        found = None if field is None else sample_field(field, edge)
        return Evidence(crop, masks, said, found, self._skin(sample))

    def _object(
        self, sample: Sample, center: Array, rng: np.random.Generator
    ) -> tuple[Pose, Field | None]:
        known = self._objects.get(sample.object_id) if sample.object_id else None
        rotation, translation = sample.object_rotation, sample.object_translation
        if known is None or rotation is None or translation is None:
            return Pose(np.eye(3), center, center), self._illusion(sample, center, rng)
        mesh, much = known.mesh, self._spoilt
        middle = (mesh.vertices.max(axis=0) + mesh.vertices.min(axis=0)) / 2
        shift = much * rng.normal(size=3) * [0.005, 0.005, 0.010]
        scale = 1 + much * 0.07 * rng.normal()
        waves = [(rng.normal(size=3) * 30.0, rng.uniform(0, 2 * np.pi)) for _ in range(4)]
        clamp = self._network.sdf_clamp / self._network.sdf_scale

        def field(points: Array) -> Array:
            inside = (points + center - shift - translation) @ rotation
            distance = known.distance(middle + (inside - middle) / scale) * scale
            distance += sum(much * 0.004 * np.sin(points @ k + phase) for k, phase in waves)
            return np.clip(distance, -clamp, clamp)

        turned = matrix_from_rotation_vector(much * 0.2 * rng.normal(size=3))
        if rng.uniform() < 0.2 * much:  # a turn that the shape hardly tells from the true one
            turned = matrix_from_rotation_vector(rng.normal(size=3) * 2.0)
        moved = much * rng.normal(size=3) * [0.008, 0.008, 0.015]
        said = turned @ rotation
        place = rotation @ middle + translation + moved - said @ middle
        return Pose(said, place, center), field

    def _illusion(self, sample: Sample, center: Array, rng: np.random.Generator) -> Field | None:
        """What a network may see in an empty hand: a small ball, in half of them."""
        if sample.joints is None or rng.uniform() > 0.5 * self._spoilt:
            return None
        joint = sample.joints[int(rng.integers(len(sample.joints)))]
        middle = joint - center + rng.normal(scale=0.02, size=3)
        radius = float(rng.uniform(0.01, 0.03))
        clamp = self._network.sdf_clamp / self._network.sdf_scale

        def field(points: Array) -> Array:
            ball: Array = np.linalg.norm(points - middle, axis=1) - radius
            return ball.clip(-clamp, clamp)

        return field

    def _mask(self, mask: NDArray[np.bool_] | None, crop: Crop, rng: np.random.Generator) -> Array:
        side = crop.size // 2
        clean: Array = np.zeros((side, side))
        if mask is None:
            if rng.uniform() < 0.3 * self._spoilt:  # a patch of something else
                radius = rng.uniform(0.03, 0.12) * side
                axes = np.meshgrid(np.arange(side), np.arange(side))
                away = [axis - rng.uniform(0.3, 0.7) * side for axis in axes]
                clean[np.hypot(*away) < radius] = 1.0
        else:
            shown = np.repeat(255 * mask.astype(np.uint8)[..., None], 3, axis=2)
            clean = crop.apply(shown)[::2, ::2, 0] / 255.0
        if not self._spoilt:
            return clean
        noise = gaussian_filter(rng.normal(size=clean.shape), 3)
        spoilt = gaussian_filter(clean, 0.8) + 0.2 * self._spoilt * noise / noise.std()
        return np.asarray(np.clip(spoilt, 0.0, 1.0))

    @torch.no_grad()
    def _skin(self, sample: Sample) -> Array:
        mano = sample.mano
        assert mano is not None
        vectors = np.concatenate([mano.orient[None], mano.pose.reshape(-1, 3)])
        rotations = torch.from_numpy(matrix_from_rotation_vector(vectors)[None]).float()
        posed = self._hands[sample.side](rotations, torch.from_numpy(mano.betas[None]).float())
        vertices: Array = posed.vertices[0].double().numpy() + mano.translation
        return vertices
