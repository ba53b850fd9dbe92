"""What the estimator is shown, told and asked, and what is made of its answers."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sequence_truth import TrueFrame
from hoisdf_ros.datatypes import (
    Estimate,
    Frame,
    HandEstimate,
    ObjectEstimate,
    Root,
    StageTimes,
)
from hoisdf_ros.errors import ImageError
from hoisdf_ros.evaluation.live import Live, Localise, settings
from hoisdf_ros.evaluation.sequences import measure
from hoisdf_ros.preprocessing.boxes import HandRegion

_SPEC = spec_from_file_location("sequence_fakes", Path(__file__).with_name("sequence_fakes.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fakes = module_from_spec(_SPEC)  # test folders are no packages
_SPEC.loader.exec_module(fakes)


class Made:
    """Sequences from lists of frames."""

    def __init__(self, *sequences: list[TrueFrame]) -> None:
        self._sequences = sequences

    def __len__(self) -> int:
        return len(self._sequences)

    def group(self, index: int) -> str:
        return f"group {index}"

    def frames(self, index: int, every: int = 1) -> Iterator[TrueFrame]:
        yield from self._sequences[index][::every]


class Fake:
    """Says the truth of its frames, and remembers what it was asked."""

    def __init__(self, frames: list[TrueFrame]) -> None:
        self.config = EstimatorConfig()
        self.truth = {frame.frame.stamp: frame for frame in frames}
        self.seen: list[Frame] = []
        self.asked: list[tuple[HandRegion, Root]] = []
        self.resets = 0

    def __call__(self, frame: Frame) -> Estimate:
        self.seen.append(frame)
        estimate: Estimate = fakes.perfect(self.truth[frame.stamp])
        return estimate

    def estimate(
        self, frame: Frame, region: HandRegion, root: Root
    ) -> tuple[HandEstimate, ObjectEstimate | None, StageTimes]:
        self.asked.append((region, root))
        hands = self.truth[frame.stamp].hands
        (hand,) = (one for one in hands if one.box == region.hand.box)
        held = None if region.held is None else fakes.object_of(hand, 77)
        return fakes.estimate_of(hand, 77), held, StageTimes()

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def frames() -> list[TrueFrame]:
    """With depth; the empty hand is hidden in the last."""
    shown = []
    for frame in fakes.still_hands(4):
        depth = np.full((240, 320), 0.6, np.float32)
        shown.append(replace(frame, frame=replace(frame.frame, depth=depth)))
    left, right = shown[-1].hands
    shown[-1] = replace(shown[-1], hands=(left, replace(right, visible=0.1)))
    return shown


def test_given_tells_where_everything_is(frames: list[TrueFrame]) -> None:
    fake = Fake(frames)
    said = list(Live(fake, "given")(Made(frames)))
    assert not fake.seen
    assert len(fake.asked) == 7
    (left, root), (right, _) = fake.asked[:2]
    hand = frames[0].hands[0]
    assert (left.side, right.side) == (Side.LEFT, Side.RIGHT)
    assert (left.hand.label, right.hand.label) == ("left_hand", "right_hand")
    assert left.held is not None
    assert (left.held.label, right.held) == (fakes.BRICK, None)
    np.testing.assert_array_equal(root.position, hand.joints[0])
    found = measure(said, fakes.VERTICES).total
    assert (found.wrist_median_mm, found.detection_recall) == (0.0, 1.0)
    assert (found.object_id_accuracy, found.id_switches) == (1.0, 0)
    assert {hand.id for _, estimate in said for hand in estimate.hands} == {0, 1}


def test_a_hand_that_cannot_be_looked_at_is_missed(
    frames: list[TrueFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(frames)

    def refuse(*_: object) -> None:
        raise ImageError("beside the picture")

    monkeypatch.setattr(fake, "estimate", refuse)
    said = list(Live(fake, "given")(Made(frames)))
    assert measure(said, fakes.VERTICES).total.detection_recall == 0.0
    assert said[0][1].notes[0] == "hand 0: beside the picture"


@pytest.mark.parametrize("localise", ["depth", "rgb"])
def test_otherwise_nothing_is_told(frames: list[TrueFrame], localise: Localise) -> None:
    fake = Fake(frames)
    said = list(Live(fake, localise)(Made(frames)))
    assert not fake.asked
    assert [frame.detections for frame in fake.seen] == [()] * 4
    assert [frame.depth is not None for frame in fake.seen] == [localise == "depth"] * 4
    assert all((frame.image == frames[0].frame.image).all() for frame in fake.seen)
    assert measure(said, fakes.VERTICES).total.detection_recall == 1.0


def test_every_sequence_begins_anew_and_every_frame_is_timed(frames: list[TrueFrame]) -> None:
    more = [replace(frame, sequence="made/1") for frame in frames]
    fake = Fake(frames)
    live = Live(fake, "depth")
    said = list(live(Made(frames, more), every=2))
    assert fake.resets == 2
    assert [frame.number for frame, _ in said] == [0, 2, 0, 2]
    assert len(live.times_ms) == 4
    assert min(live.times_ms) > 0
    assert live.groups == {"made/0": "group 0", "made/1": "group 1"}


def test_depth_is_used_only_when_it_is_shown() -> None:
    config = EstimatorConfig(weights="some.pth", second_pass_mm=7.0)
    assert settings(config, "depth") == replace(config, depth_mode="aligned")
    assert settings(config, "rgb").depth_mode == settings(config, "given").depth_mode == "none"
