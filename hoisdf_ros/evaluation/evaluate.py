"""The runner: a data set through the network, the errors of each sample, their means."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from tqdm import tqdm

from hoisdf_ros.conventions import NUM_JOINTS, Side
from hoisdf_ros.data.by_name import NamedData
from hoisdf_ros.data.object_models import Objects
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import ConfigError, EvaluationError
from hoisdf_ros.evaluation.contact_sheet import Scene, Shown
from hoisdf_ros.evaluation.field_meshes import FieldMeshes, FieldScores, true_hand, true_object
from hoisdf_ros.evaluation.mean_pose import on_side
from hoisdf_ros.evaluation.objects import Pose
from hoisdf_ros.evaluation.prediction import Predicted, Predictor
from hoisdf_ros.evaluation.results import (
    Hand,
    HandErrors,
    PlacedObject,
    SampleErrors,
    Summary,
    hand_errors,
    object_errors,
    summarise,
)
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.assets import HandArrays
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel


class Truth:
    """The truth of samples in the form that errors are taken from.

    Args:
        hands: By side, the hand model that the samples' parameters belong to.
        objects: Meshes by object id.
        not_scored: Objects that are left out.
    """

    def __init__(
        self,
        hands: Mapping[Side, HandArrays],
        objects: Objects,
        not_scored: frozenset[str] = frozenset(),
    ) -> None:
        self._hands = {side: HandModel(arrays) for side, arrays in hands.items()}
        self._objects, self._not_scored = objects, not_scored

    @torch.no_grad()
    def hand(self, sample: Sample) -> Hand | None:
        """The hand, posed by its parameters as in the published tables; None when unknown."""
        mano = sample.mano
        if mano is None:
            return None
        vectors = np.concatenate([mano.orient, mano.pose]).reshape(1, -1, 3)
        rotations = torch.from_numpy(matrix_from_rotation_vector(vectors)).float()
        betas = torch.from_numpy(mano.betas[None]).float()
        posed: HandGeometry = self._hands[sample.side](rotations, betas)
        vertices, joints = (points[0].double().numpy() + mano.translation for points in posed)
        return Hand(joints, vertices)

    def object(self, sample: Sample) -> tuple[Pose, Mesh] | None:
        """Pose and mesh of the object; None when there is none, or it is not scored."""
        rotation, translation, name = (
            sample.object_rotation,
            sample.object_translation,
            sample.object_id,
        )
        if rotation is None or translation is None or name is None or name in self._not_scored:
            return None
        known = self._objects.get(name)
        return None if known is None else (Pose(rotation, translation), known.mesh)

    def surfaces(self, sample: Sample, center: Array) -> FieldMeshes:
        """What the fields should say, about the true wrist and the object's given centre."""
        hand, held = self.hand(sample), self.object(sample)
        root = sample.hand_root
        skin = None
        if hand is not None and root is not None:
            skin = true_hand(hand.vertices, self._hands[sample.side].faces, root)
        thing = None if held is None else true_object(held[1], held[0], center)
        return FieldMeshes(skin, thing)


class Measure:
    """Errors of one sample.

    Args:
        truth: Of the data set.
        mean_hand: (21, 3) from `mean_pose.mean_hand`; None when it is not known.
    """

    def __init__(self, truth: Truth, mean_hand: Array | None) -> None:
        self._truth = truth
        self._mean = np.full((NUM_JOINTS, 3), np.nan) if mean_hand is None else mean_hand

    def __call__(self, found: Predicted) -> SampleErrors:
        """The errors.

        Raises:
            EvaluationError: A prediction is not finite.
        """
        errors = SampleErrors(found.sample.key, self._hand(found))
        held, true = found.held, self._truth.object(found.sample)
        root = found.sample.hand_root
        if held is None or true is None or root is None:
            return errors
        pose, mesh = true
        ours = PlacedObject(Pose(held.rotation, held.translation), found.root)
        camera, name = found.sample.camera, held.object_id
        placed = PlacedObject(pose, root)
        measured = object_errors(ours, placed, mesh.vertices, camera, name)
        return replace(errors, object_id=name, held=measured)

    def _hand(self, found: Predicted) -> HandErrors | None:
        truth = self._truth.hand(found.sample)
        if truth is None:
            return None
        predicted = Hand(found.hand.joints, found.hand.vertices)
        return hand_errors(predicted, truth, on_side(self._mean, found.sample.side))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of a run.

    Args:
        summary: Means.
        samples: Errors of each sample.
        places: Number of each of them in the data set.
        left_out: How many samples are not among them, by reason.
        ms_per_sample: Milliseconds between a sample and what is said of it.
        joints, vertices: (N, 21, 3) and (N, 778, 3) float32 of each prediction, metres, camera
            frame; empty unless they were to be kept.
    """

    summary: Summary
    samples: tuple[SampleErrors, ...]
    places: tuple[int, ...]
    left_out: Mapping[str, int]
    ms_per_sample: float
    joints: Sequence[Array] = ()
    vertices: Sequence[Array] = ()


class Run:
    """Which samples of a data set are measured, and how.

    Args:
        data: The data set.
        predictor: What is measured.
        mean_hand: See `Measure`.
        limit: Samples at most, spread evenly; None takes all.

    Raises:
        ConfigError: A limit below one.
        EvaluationError: The data set is empty.
    """

    def __init__(
        self,
        data: NamedData,
        predictor: Predictor,
        mean_hand: Array | None,
        limit: int | None = None,
    ) -> None:
        if limit is not None and limit < 1:
            raise ConfigError(f"{limit} samples: ask for at least one")
        if not len(data.samples):
            raise EvaluationError(f"data '{data.name}' has no samples; choose another split")
        self.data, self.predictor = data, predictor
        self.truth = Truth(data.hands, data.objects, data.not_scored)
        self.measure = Measure(self.truth, mean_hand)
        count = len(data.samples)
        wanted = count if limit is None else min(limit, count)
        self.places = np.unique(np.linspace(0, count - 1, wanted).astype(int)).tolist()
        self._unusable: Counter[str] = Counter()

    def go(self, *, keep: bool = False) -> Evaluation:
        """Measure all samples.

        Args:
            keep: Keep the predicted hands, for a submission.

        Raises:
            EvaluationError: No sample can be measured, or a prediction is not finite.
            DataError: A sample is missing or damaged.
        """
        scores, samples, places = FieldScores(), [], []
        joints: list[Array] = []
        vertices: list[Array] = []
        for found in self.predictor(self._samples()):
            samples.append(self.measure(found))
            places.append(found.place)
            if found.surfaces is not None:
                scores.add(found.surfaces, self.truth.surfaces(found.sample, found.center))
            if keep:
                joints.append(found.hand.joints.astype(np.float32))
                vertices.append(found.hand.vertices.astype(np.float32))
        left_out = self.predictor.left_out + self._unusable
        if not samples:
            raise EvaluationError(
                f"none of the {len(self.places)} samples of '{self.data.name}' can be measured: "
                + ", ".join(f"{count} with {why}" for why, count in left_out.items())
            )
        summary = replace(summarise(samples), fields=scores.summary())
        ms = 1e3 * self.predictor.seconds / len(samples)
        return Evaluation(
            summary, tuple(samples), tuple(places), dict(left_out), ms, joints, vertices
        )

    def shown(self, place: int) -> Shown:
        """One sample predicted once more, to be drawn: pictures of all would fill the memory.

        Args:
            place: Its number in the data set.
        """
        estimator = self.predictor.estimator
        [found] = Predictor(estimator, 1)([(place, self.data.samples[place])])
        sample, held, true = found.sample, found.held, self.truth.object(found.sample)
        ours = None
        if held is not None and true is not None:
            ours = _posed(true[1], Pose(held.rotation, held.translation))
        return Shown(
            sample.image,
            sample.camera,
            estimator.faces(sample.side),
            Scene(Hand(found.hand.joints, found.hand.vertices), ours),
            Scene(
                self.truth.hand(sample),
                None if true is None else _posed(true[1], true[0]),
            ),
        )

    def _samples(self) -> Iterator[tuple[int, Sample]]:
        name = str(self.data.name)
        for place in tqdm(self.places, desc=name, unit="sample", disable=None):
            if self.data.usable_only and not self.data.samples.usable(place):
                self._unusable["hand or object not annotated, or hand outside the picture"] += 1
                continue
            yield place, self.data.samples[place]


def _posed(mesh: Mesh, pose: Pose) -> Mesh:
    return Mesh(pose(mesh.vertices), mesh.faces)
