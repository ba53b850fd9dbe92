"""The served estimator in front of a video, told as much as it is to be told."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal, Protocol

from tqdm import tqdm

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sequence_truth import TrueFrame, TrueHand
from hoisdf_ros.datatypes import (
    Detection,
    Estimate,
    Frame,
    HandEstimate,
    ObjectEstimate,
    Root,
    StageTimes,
)
from hoisdf_ros.errors import ImageError, RootError
from hoisdf_ros.evaluation.detection import counts
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.preprocessing.roots import root_given

Localise = Literal["given", "depth", "rgb"]

GIVEN: dict[Localise, str] = {
    "given": "true boxes, wrists, sides, object ids and hand ids",
    "depth": "picture, depth and camera",
    "rgb": "picture and camera",
}
"""What the estimator is told."""


class Watches(Protocol):
    """What an estimator must be able to do; `estimator.Estimator` is one."""

    config: EstimatorConfig

    def __call__(self, frame: Frame) -> Estimate:
        """Find and estimate everything."""
        ...

    def estimate(
        self, frame: Frame, region: HandRegion, root: Root
    ) -> tuple[HandEstimate, ObjectEstimate | None, StageTimes]:
        """Estimate one hand whose boxes and wrist are known."""
        ...

    def reset(self) -> None:
        """Forget everything that was seen."""
        ...


class Videos(Protocol):
    """Sequences by number; `SyntheticSequences` and `HardSequences` are such."""

    def __len__(self) -> int: ...

    def group(self, index: int) -> str:
        """What a sequence belongs to."""
        ...

    def frames(self, index: int, every: int = 1) -> Iterator[TrueFrame]:
        """Every so many of its frames."""
        ...


class Live:
    """Shows an estimator sequences, and takes the time.

    Args:
        estimator: As it is served.
        localise: What it is told; `settings` says how it must be made for that.

    Attributes:
        times_ms: Of every frame, milliseconds.
        groups: By key, the group of every sequence that was begun.
    """

    def __init__(self, estimator: Watches, localise: Localise) -> None:
        self._estimator = estimator
        self._look: Callable[[TrueFrame], Estimate] = {
            "given": self._given,
            "depth": self._depth,
            "rgb": self._rgb,
        }[localise]
        self.times_ms: list[float] = []
        self.groups: dict[str, str] = {}

    def __call__(self, videos: Videos, every: int = 1) -> Iterator[tuple[TrueFrame, Estimate]]:
        """Every so many frames of all sequences, each with what is said of it."""
        for index in tqdm(range(len(videos)), desc="sequences", unit="sequence", disable=None):
            self._estimator.reset()
            for truth in videos.frames(index, every):
                self.groups[truth.sequence] = videos.group(index)
                start = time.perf_counter()
                estimate = self._look(truth)
                self.times_ms.append(1e3 * (time.perf_counter() - start))
                yield truth, estimate

    def _depth(self, truth: TrueFrame) -> Estimate:
        return self._estimator(truth.frame)

    def _rgb(self, truth: TrueFrame) -> Estimate:
        return self._estimator(replace(truth.frame, depth=None))

    def _given(self, truth: TrueFrame) -> Estimate:
        """The hands that count, where they are; so their estimates have their numbers."""
        hands, objects, notes = [], [], []
        for true in filter(counts, truth.hands):
            try:
                root = root_given(true.mano.translation, self._estimator.config)
                hand, held, _ = self._estimator.estimate(truth.frame, region_of(true), root)
            except (ImageError, RootError) as error:
                notes.append(f"hand {true.number}: {error}")
                continue
            hands.append(replace(hand, id=true.number))
            objects += [] if held is None else [replace(held, hand_id=true.number)]
        return Estimate(tuple(hands), tuple(objects), notes=tuple(notes))


def settings(config: EstimatorConfig, localise: Localise) -> EstimatorConfig:
    """The settings with which an estimator needs no more than it is told."""
    return replace(config, depth_mode="aligned" if localise == "depth" else "none")


def region_of(hand: TrueHand) -> HandRegion:
    """Side and boxes of a hand as a detector that is never wrong would give them."""
    label = "left_hand" if hand.side is Side.LEFT else "right_hand"
    held = None if hand.held is None else Detection(hand.held.object_id, hand.held.box)
    return HandRegion(hand.side, 1.0, Detection(label, hand.box), held)
