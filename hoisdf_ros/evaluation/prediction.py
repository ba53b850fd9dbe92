"""What the served estimator says of labelled pictures, several at a time.

Wrist and boxes are the true ones, as in the published tables; everything behind them is the way
that a robot's images take.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.datatypes import Array, Detection, Frame, HandEstimate, ObjectEstimate
from hoisdf_ros.errors import ConfigError, EvaluationError, ImageError, RootError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.evaluation.field_meshes import FieldMeshes, predicted_meshes
from hoisdf_ros.network.io import ImageFeatures, NetworkInput, joined
from hoisdf_ros.postprocessing.hand import RawHand
from hoisdf_ros.postprocessing.objects import RawObject
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.preprocessing.roots import root_given


@dataclass(frozen=True, eq=False)
class Predicted:
    """What is said of one sample, and the sample.

    Args:
        place: Number of the sample in its data set.
        sample: The truth.
        hand: The hand.
        held: The object; None where the sample shows none.
        root: (3,) wrist the network was given, metres, camera frame.
        center: (3,) centre of the object's crop it was given, likewise.
        surfaces: Of its two fields; None when not asked for.
    """

    place: int
    sample: Sample
    hand: HandEstimate
    held: ObjectEstimate | None
    root: Array
    center: Array
    surfaces: FieldMeshes | None = None


def look_at(sample: Sample, config: EstimatorConfig) -> Look:
    """Wrist and boxes of a sample as a detector that is never wrong would give them.

    Raises:
        EvaluationError: The sample has no wrist or no hand box.
        RootError: The wrist is too near, or too far away.
    """
    root, box = sample.hand_root, sample.hand_box
    if root is None or box is None:
        raise EvaluationError(f"sample '{sample.key}' has no wrist or no hand box to look at")
    held = None
    if sample.object_box is not None and sample.object_id is not None:
        held = Detection(sample.object_id, sample.object_box)
    label = "left_hand" if sample.side is Side.LEFT else "right_hand"
    region = HandRegion(sample.side, 1.0, Detection(label, box), held)
    return Look(Frame(sample.image, sample.camera), region, root_given(root, config))


LookAt = Callable[[Sample, EstimatorConfig], Look]


class Predictor:
    """Predicts samples in batches.

    Args:
        estimator: The network, as it is served.
        batch_size: Samples of one pass.
        surfaces: Take the surfaces of the signed distance fields, too: seconds a sample.
        look: What of a sample the network is given.

    Attributes:
        left_out: How many samples could not be looked at, by reason.
        seconds: Spent between a sample and what is said of it, surfaces not counted.

    Raises:
        ConfigError: No batch size, or surfaces of a network that cannot be asked for them.
    """

    def __init__(
        self,
        estimator: Estimator,
        batch_size: int = 8,
        *,
        surfaces: bool = False,
        look: LookAt = look_at,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"batch size {batch_size}: expected 1 or more")
        self.estimator, self.batch_size, self.surfaces = estimator, batch_size, surfaces
        self._look_at = look
        self.left_out: Counter[str] = Counter()
        self.seconds = 0.0

    def __call__(self, samples: Iterable[tuple[int, Sample]]) -> Iterator[Predicted]:
        """What is said of samples that come with their places; some may be left out.

        Raises:
            EvaluationError: The network says something that is not finite.
        """
        ready: list[tuple[int, Sample, Look, NetworkInput]] = []
        for place, sample in samples:
            start = time.perf_counter()
            try:
                look = self._look_at(sample, self.estimator.config)
                ready.append((place, sample, look, self.estimator.inputs(look)))
            except EvaluationError:
                self.left_out["no hand annotated"] += 1
            except ImageError:
                self.left_out["hand outside the picture"] += 1
            except RootError:
                self.left_out["wrist too near or too far"] += 1
            self.seconds += time.perf_counter() - start
            if len(ready) == self.batch_size:
                yield from self._batch(ready)
                ready = []
        if ready:
            yield from self._batch(ready)

    def _batch(self, ready: list[tuple[int, Sample, Look, NetworkInput]]) -> list[Predicted]:
        start = time.perf_counter()
        looks = [look for _, _, look, _ in ready]
        inputs = joined([one for _, _, _, one in ready])
        output = self.estimator.network.backend(inputs)
        found = self.estimator.read(output, looks)
        for (_, sample, _, _), (hand, held) in zip(ready, found, strict=True):
            _refuse_nonsense(sample.key, hand, held)
        self.estimator.reset()  # one picture has nothing to do with another
        placed = [self.estimator.place(raw, look) for raw, look in zip(found, looks, strict=True)]
        self.seconds += time.perf_counter() - start
        return [
            Predicted(
                place,
                sample,
                *placed[k],
                look.root.position,
                found[k][1].center,
                self._surfaces(output.features, inputs, k, look),
            )
            for k, (place, sample, look, _) in enumerate(ready)
        ]

    def _surfaces(
        self, features: ImageFeatures, inputs: NetworkInput, k: int, look: Look
    ) -> FieldMeshes | None:
        if not self.surfaces:
            return None
        model = self.estimator.network.model
        return predicted_meshes(model, features, inputs, k, mirror=look.mirrored)


def _refuse_nonsense(key: str, hand: RawHand, held: RawObject) -> None:
    said = (hand.vertices, hand.joints, held.rotation, held.translation)
    if not all(np.isfinite(part).all() for part in said):
        raise EvaluationError(
            f"sample '{key}': what the network says is not finite; the weights are damaged, or of "
            "a training run that went wrong: take an earlier checkpoint"
        )
