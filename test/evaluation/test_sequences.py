"""Fake estimators whose result is known: perfect, offset, forgetful, inventive, confused."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.data.sequence_truth import TrueFrame
from hoisdf_ros.datatypes import Estimate
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.sequences import JSON_KEYS, SequenceResult, measure

_SPEC = spec_from_file_location("sequence_fakes", Path(__file__).with_name("sequence_fakes.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fakes = module_from_spec(_SPEC)  # test folders are no packages
_SPEC.loader.exec_module(fakes)

FRAMES = 30


def result(
    estimator: Callable[[TrueFrame], Estimate], frames: list[TrueFrame] | None = None
) -> SequenceResult:
    shown = fakes.still_hands(FRAMES) if frames is None else frames
    return measure(((frame, estimator(frame)) for frame in shown), fakes.VERTICES).total


def test_a_perfect_estimator() -> None:
    found = result(fakes.perfect)
    assert found.json() == {
        "wrist_median_mm": pytest.approx(0.0),
        "wrist_p90_mm": pytest.approx(0.0),
        "abs_mje_mm": pytest.approx(0.0),
        "mje_mm": pytest.approx(0.0),
        "abs_adds_mm": pytest.approx(0.0),
        "object_id_accuracy": 1.0,
        "detection_recall": 1.0,
        "false_alarms_per_minute": 0.0,
        "id_switches": 0,
        "jitter_mm": pytest.approx(0.0),
    }
    assert tuple(found.json()) == JSON_KEYS
    assert (found.frames, found.hands, found.side_accuracy) == (FRAMES, 2 * FRAMES, 1.0)


def test_a_known_offset() -> None:
    found = result(lambda frame: fakes.perfect(frame, np.array([0.003, 0.0, 0.004])))
    assert found.wrist_median_mm == pytest.approx(5.0)
    assert found.wrist_p90_mm == pytest.approx(5.0)
    assert found.abs_mje_mm == pytest.approx(5.0)
    assert found.mje_mm == pytest.approx(0.0, abs=1e-9)
    assert found.abs_adds_mm == pytest.approx(5.0)  # less than half of the corners' distance
    assert found.jitter_mm == pytest.approx(0.0, abs=1e-9)


def test_quantiles_of_the_wrist() -> None:
    """One frame in five is 20 mm off."""
    found = result(lambda frame: fakes.perfect(frame, 0.02 * (frame.number % 5 == 0) / np.sqrt(3)))
    assert found.wrist_median_mm == pytest.approx(0.0)
    assert found.wrist_p90_mm == pytest.approx(20.0)
    assert found.abs_mje_mm == pytest.approx(4.0)
    assert found.jitter_mm is not None
    assert 5.0 < found.jitter_mm < 10.0  # sqrt(1/5 * 4/5) * 20 mm = 8 mm


def test_swapped_ids() -> None:
    """From the middle on each hand has the other's id; what they hold goes with them."""

    def swap(frame: TrueFrame) -> Estimate:
        estimate: Estimate = fakes.perfect(frame)
        if frame.number < FRAMES // 2:
            return estimate
        hands = tuple(replace(hand, id=21 - hand.id) for hand in estimate.hands)
        things = tuple(replace(thing, hand_id=21 - thing.hand_id) for thing in estimate.objects)
        return replace(estimate, hands=hands, objects=things)

    found = result(swap)
    assert found.id_switches == 2
    assert found.object_id_accuracy == 1.0
    assert found.detection_recall == 1.0


def test_every_second_frame_is_missed() -> None:
    found = result(lambda frame: Estimate() if frame.number % 2 else fakes.perfect(frame))
    assert found.detection_recall == pytest.approx(0.5)
    assert found.id_switches == 0
    assert found.wrist_median_mm == pytest.approx(0.0)
    assert found.jitter_mm == pytest.approx(0.0, abs=1e-9)


def test_an_invented_hand() -> None:
    def invent(frame: TrueFrame) -> Estimate:
        estimate: Estimate = fakes.perfect(frame)
        ghost = fakes.estimate_of(fakes.true_hand(0, np.array([0.0, 0.15, 0.6])), 99)
        return replace(estimate, hands=(*estimate.hands, ghost))

    found = result(invent)
    assert found.false_alarms_per_minute == pytest.approx(30 * 60)
    assert found.detection_recall == 1.0


def test_what_is_held_is_named_wrongly_or_not_at_all() -> None:
    """The empty right hand is always right."""
    assert result(lambda f: fakes.without_objects(fakes.perfect(f))).object_id_accuracy == 0.5
    assert result(lambda f: fakes.without_objects(fakes.perfect(f))).abs_adds_mm is None

    def stick(frame: TrueFrame) -> Estimate:
        estimate: Estimate = fakes.perfect(frame)
        return replace(estimate, objects=(replace(estimate.objects[0], object_id=fakes.STICK),))

    assert result(stick).object_id_accuracy == 0.5
    # of the stick's two ends one is where a corner is, the other 100 mm from the nearest
    assert result(stick).abs_adds_mm == pytest.approx(50.0)


def test_an_object_in_an_empty_hand_is_wrong() -> None:
    def give(frame: TrueFrame) -> Estimate:
        estimate: Estimate = fakes.perfect(frame)
        (thing,) = estimate.objects
        return replace(estimate, objects=(thing, replace(thing, hand_id=11)))

    assert result(give).object_id_accuracy == 0.5


def test_a_hand_that_comes_and_goes() -> None:
    """Away for 10 frames, there for 20, of which the first 6 are missed, away for 10."""
    here = fakes.true_hand(1, fakes.RIGHT_PLACE)
    frames = [fakes.frame_of(k, (here,) if 10 <= k < 30 else ()) for k in range(40)]

    def late(frame: TrueFrame) -> Estimate:
        return fakes.perfect(fakes.frame_of(0, (here,))) if 16 <= frame.number < 36 else Estimate()

    found = result(late, frames)
    assert found.first_pose_s == pytest.approx(6 / 30)
    assert found.loss_s == pytest.approx(6 / 30)
    assert found.detection_recall == pytest.approx(14 / 20)
    assert found.false_alarms_per_minute == pytest.approx(6 / 40 * 30 * 60)
    assert found.never_found == 0


def test_hidden_hands_are_not_counted() -> None:
    hidden = fakes.true_hand(0, fakes.LEFT_PLACE, visible=0.1, held=fakes.BRICK)
    found = result(lambda _: Estimate(), [fakes.frame_of(k, (hidden,)) for k in range(3)])
    assert found.hands == 0
    assert found.detection_recall is None
    assert found.false_alarms_per_minute == 0.0
    assert found.json()["object_id_accuracy"] is None


def test_movement_says_nothing_of_jitter() -> None:
    step = np.array([0.01, 0.0, 0.0])
    hands = [fakes.true_hand(0, fakes.LEFT_PLACE + k * step) for k in range(30)]
    frames = [fakes.frame_of(k, (hand,)) for k, hand in enumerate(hands)]
    assert result(fakes.perfect, frames).jitter_mm is None


def test_ids_of_two_sequences_have_nothing_to_do_with_each_other() -> None:
    frames = fakes.still_hands(5, "made/0") + fakes.still_hands(5, "made/1")

    def anew(frame: TrueFrame) -> Estimate:
        shift = 50 if frame.sequence == "made/1" else 0
        estimate: Estimate = fakes.without_objects(fakes.perfect(frame))
        return replace(
            estimate, hands=tuple(replace(hand, id=hand.id + shift) for hand in estimate.hands)
        )

    assert result(anew, frames).id_switches == 0


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no frames"):
        result(fakes.perfect, [])
    with pytest.raises(EvaluationError, match="'made/0': stamps do not increase"):
        result(fakes.perfect, fakes.still_hands(3)[::-1])
    with pytest.raises(EvaluationError, match="'made/0' comes a second time"):
        result(
            fakes.perfect,
            [*fakes.still_hands(2), *fakes.still_hands(2, "made/1"), *fakes.still_hands(2)],
        )


def sure_of_it(estimate: Estimate, stddev: float) -> Estimate:
    hands = tuple(
        replace(hand, root=replace(hand.root, covariance=stddev**2 * np.eye(3)))
        for hand in estimate.hands
    )
    return replace(estimate, hands=hands)


def test_confidently_wrong_poses_are_counted() -> None:
    """Two hands are 200 mm off, sure of themselves in every third frame."""
    offset = np.array([0.0, 0.0, 0.2])

    def far(frame: TrueFrame) -> Estimate:
        return sure_of_it(fakes.perfect(frame, offset), 0.1 if frame.number % 3 else 0.01)

    found = result(far)
    assert (found.estimates, found.wrong, found.confident_wrong) == (60, 60, 20)
    assert found.wrist_covered == pytest.approx(2 / 3)
    modest = result(lambda frame: fakes.perfect(frame, offset))  # without a covariance
    assert (modest.wrong, modest.confident_wrong, modest.wrist_covered) == (60, 0, None)
    good = result(lambda frame: sure_of_it(fakes.perfect(frame), 0.01))
    assert (good.wrong, good.confident_wrong, good.wrist_covered) == (0, 0, 1.0)


def test_a_pose_of_nobody_is_wrong() -> None:
    empty = [fakes.frame_of(k, ()) for k in range(4)]
    ghost = sure_of_it(fakes.perfect(fakes.still_hands(1)[0]), 0.05)
    found = result(lambda _: ghost, empty)
    assert (found.estimates, found.wrong, found.confident_wrong) == (8, 8, 8)
    assert found.hands == 0


def test_a_group_is_measured_as_if_alone() -> None:
    frames = fakes.still_hands(5, "made/0") + fakes.still_hands(7, "made/1")
    frames += fakes.still_hands(3, "made/2")

    def off(frame: TrueFrame) -> Estimate:
        return fakes.perfect(frame, 0.001 * int(frame.sequence[-1]))  # type: ignore[no-any-return]

    groups = {"made/0": "even", "made/1": "odd", "made/2": "even"}
    found = measure(((f, off(f)) for f in frames), fakes.VERTICES, lambda key: groups[key])
    assert list(found.groups) == ["even", "odd"]
    assert [group.frames for group in found.groups.values()] == [8, 7]
    assert found.total.frames == 15
    assert found.groups["odd"] == result(off, frames[5:12])
    assert len(found.total.wrists_mm) == found.total.hands == 30
