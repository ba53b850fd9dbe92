"""What a wrong wrist does: errors against an error put into the wrist that the network is given.

Published numbers are of true wrists; a robot has none. Every picture is looked at again and again
with its wrist moved, along the ray from the camera or across it, each picture in a direction of
its own; and where there is depth, once more with the wrist refined from there as served.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Literal

import numpy as np
from tqdm import tqdm

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.datatypes import Array, Root
from hoisdf_ros.errors import EvaluationError, ImageError, RootError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.evaluation.evaluate import Run
from hoisdf_ros.evaluation.prediction import Predicted, Predictor, look_at
from hoisdf_ros.evaluation.results import SampleErrors, Summary, summarise

Direction = Literal["along", "across"]

DIRECTIONS: tuple[Direction, ...] = ("along", "across")

_SURE_M = 0.03  # standard deviation that the refinement is told of a wrist


@dataclass(frozen=True)
class Injected:
    """An error put into the wrist.

    Args:
        direction: Along the ray, away from the camera or towards it, or across.
        length: Metres.
    """

    direction: Direction
    length: float


@dataclass(frozen=True, eq=False)
class Point:
    """What an injected error leads to.

    Args:
        injected: The error.
        plain: With the wrong wrist.
        refined: With the wrist refined from there; None without depth or trained weights.
    """

    injected: Injected
    plain: Summary
    refined: Summary | None


class RootErrors:
    """Measures one data set with wrong wrists.

    Args:
        run: Which samples, and how they are measured.
        batch_size: Samples of one pass.
    """

    def __init__(self, run: Run, batch_size: int) -> None:
        self._run, self._batch_size = run, batch_size

    def __call__(self, lengths: Sequence[float]) -> tuple[Point, ...]:
        """A point for every direction and length, metres.

        Raises:
            EvaluationError: No sample can be measured.
        """
        wanted = [Injected(direction, length) for direction in DIRECTIONS for length in lengths]
        plain: dict[Injected, list[SampleErrors]] = {injected: [] for injected in wanted}
        refined: dict[Injected, list[SampleErrors]] = {injected: [] for injected in wanted}
        for batch in self._batches():
            for injected in wanted:
                plain[injected] += self._plain(batch, injected)
                refined[injected] += self._refined(batch, injected)
        if not all(plain.values()):
            raise EvaluationError("no sample can be measured: none has a wrist in the picture")
        return tuple(
            Point(
                injected,
                summarise(plain[injected]),
                summarise(refined[injected]) if refined[injected] else None,
            )
            for injected in wanted
        )

    def _batches(self) -> Iterator[list[tuple[int, Sample]]]:
        """Pictures are drawn once and looked at in all ways; few are kept at a time."""
        data, places = self._run.data, self._run.places
        bar = iter(tqdm(places, desc=str(data.name), unit="sample", disable=None))
        while batch := list(islice(bar, self._batch_size)):
            usable = [p for p in batch if not data.usable_only or data.samples.usable(p)]
            yield [(place, data.samples[place]) for place in usable]

    def _plain(self, batch: list[tuple[int, Sample]], injected: Injected) -> list[SampleErrors]:
        look = partial(displaced_look, injected=injected)
        predictor = Predictor(self._run.predictor.estimator, self._batch_size, look=look)
        return [self._run.measure(found) for found in predictor(batch)]

    def _refined(self, batch: list[tuple[int, Sample]], injected: Injected) -> list[SampleErrors]:
        estimator = self._run.predictor.estimator
        if not estimator.trained:
            return []
        found = []
        for place, sample in batch:
            if sample.depth is None:
                continue
            try:
                look = displaced_look(sample, estimator.config, injected)
                found.append(refined(estimator, look, place, sample))
            except (EvaluationError, ImageError, RootError):
                continue  # not looked at without depth either
        return [self._run.measure(one) for one in found]


def displaced_look(sample: Sample, config: EstimatorConfig, injected: Injected) -> Look:
    """A sample's boxes and its wrist where it is not.

    Raises:
        EvaluationError: The sample has no wrist or no hand box.
        RootError: The wrist is too near, or too far away.
    """
    look = look_at(sample, config)
    place = look.root.position + displacement(sample, look.root.position, injected)
    root = Root(place, _SURE_M**2 * np.eye(3), look.root.source)
    return replace(look, frame=replace(look.frame, depth=sample.depth), root=root)


def displacement(sample: Sample, wrist: Array, injected: Injected) -> Array:
    """(3,) metres; a sample's directions are the same for every length.

    Args:
        sample: Whose key decides the direction.
        wrist: (3,) the true one, metres, camera frame.
        injected: How far, along or across the ray.
    """
    rng = np.random.default_rng(list(sample.key.encode()))
    ray = wrist / np.linalg.norm(wrist)
    sign, angle = rng.choice([-1.0, 1.0]), rng.uniform(0.0, 2 * np.pi)
    if injected.direction == "along":
        along: Array = sign * injected.length * ray
        return along
    right = np.cross(ray, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(ray, right)
    across: Array = injected.length * (np.cos(angle) * right + np.sin(angle) * down)
    return across


def refined(estimator: Estimator, look: Look, place: int, sample: Sample) -> Predicted:
    """What is said of a sample with its wrist refined by depth, as served.

    Raises:
        ImageError: The boxes lie outside the image.
    """
    first = estimator.looker(look)
    done = estimator.by_depth(first, look.root, estimator.config).done
    hand, held = estimator.place(done.raw, done.look)
    center = done.raw[1].center
    return Predicted(place, sample, hand, held, done.look.root.position, center)
