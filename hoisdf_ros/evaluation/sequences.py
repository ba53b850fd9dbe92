"""Videos with truth against what an estimator says of them: one pass, one result.

What is matched, counted and left out is said in `detection`, `tracks` and `jitter`. Errors of
position are those of matched hands that count, an entry for every frame of every hand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import groupby

import numpy as np

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.data.sequence_truth import TrueFrame, TrueHand
from hoisdf_ros.datatypes import Array, Estimate, HandEstimate, ObjectEstimate
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.confidence import (
    MOST_DEVIATIONS,
    deviations,
    is_confident,
    is_wrong,
)
from hoisdf_ros.evaluation.correspondence import distances
from hoisdf_ros.evaluation.detection import Matches, counts, match
from hoisdf_ros.evaluation.hand import root_relative, wrist_error
from hoisdf_ros.evaluation.jitter import jitter, rest_runs, trembling
from hoisdf_ros.evaluation.objects import Pose, add_s
from hoisdf_ros.evaluation.tracks import Sighting, first_pose_times, id_switches, loss_times

JSON_KEYS = (
    "wrist_median_mm",
    "wrist_p90_mm",
    "abs_mje_mm",
    "mje_mm",
    "abs_adds_mm",
    "object_id_accuracy",
    "detection_recall",
    "false_alarms_per_minute",
    "id_switches",
    "jitter_mm",
)

_LONE_FRAME_S = 1 / 30  # what a sequence of one frame lasts


@dataclass(frozen=True)
class SequenceResult:
    """What is measured on sequences; None where there was nothing to measure.

    Args:
        wrist_median_mm, wrist_p90_mm: Distance of the wrists in the camera frame.
        abs_mje_mm: Mean distance of the joints in the camera frame; joints that are not given are
            left out.
        mje_mm: The same with both wrists at the origin.
        abs_adds_mm: ADD-S of held objects in the camera frame, each with the mesh it is said to
            be; objects not found are left out, and counted by the next.
        object_id_accuracy: Share of matched hands of which it is said rightly which object they
            hold, or that they hold none.
        detection_recall: Share of hands that count that are found.
        false_alarms_per_minute: Estimates of nothing, each frame's of its own, a minute of video.
        id_switches: How often a hand's id changes, over all sequences.
        jitter_mm: Root mean square of the joints' trembling at rest, over all sequences.
        first_pose_s: Median time from coming into view to the first estimate, of those found.
        never_found: Comings into view without any estimate.
        loss_s: Median time for which estimates go on after a hand is gone.
        side_accuracy: Share of matched hands whose side is right.
        frames: How many.
        hands: Hands that count, over all frames.
        estimates: Those whose wrist is a position, over all frames.
        wrong: Of them, those of no true hand, by `confidence.is_wrong`.
        confident_wrong: Of these, those whose covariance claims otherwise.
        wrist_covered: Share of matched hands with a covariance that allows for the true wrist, by
            `MOST_DEVIATIONS`; 0.97 would be of an honest Gaussian.
        wrists_mm: Wrist error of every matched hand.
    """

    wrist_median_mm: float | None
    wrist_p90_mm: float | None
    abs_mje_mm: float | None
    mje_mm: float | None
    abs_adds_mm: float | None
    object_id_accuracy: float | None
    detection_recall: float | None
    false_alarms_per_minute: float | None
    id_switches: int
    jitter_mm: float | None
    first_pose_s: float | None
    never_found: int
    loss_s: float | None
    side_accuracy: float | None
    frames: int
    hands: int
    estimates: int
    wrong: int
    confident_wrong: int
    wrist_covered: float | None
    wrists_mm: tuple[float, ...] = field(repr=False)

    def json(self) -> dict[str, float | int | None]:
        """What `hoisdf evaluate --json` prints: the entries of `JSON_KEYS`."""
        values = asdict(self)
        return {key: values[key] for key in JSON_KEYS}


@dataclass(frozen=True)
class Measured:
    """Results of sequences.

    Args:
        total: Of all.
        groups: Of those of a group, in the order in which groups come first.
    """

    total: SequenceResult
    groups: dict[str, SequenceResult]


def measure(
    pairs: Iterable[tuple[TrueFrame, Estimate]],
    vertices: Mapping[str, Array],
    group: Callable[[str], str] = lambda _: "all",
) -> Measured:
    """Measure estimates of sequences; nothing of a frame is kept but its numbers.

    Args:
        pairs: Every frame with what is said of it; frames of a sequence in order of time, one
            sequence after the other.
        vertices: By object id, (V, 3) of its mesh, metres; 1000 are enough.
        group: Which group the sequence of a key belongs to.

    Raises:
        EvaluationError: No frames, stamps that do not increase, or a sequence in two parts.
    """
    total, groups, done = _Tally(), dict[str, _Tally](), set[str]()
    for key, frames in groupby(pairs, key=lambda pair: pair[0].sequence):
        if key in done:
            raise EvaluationError(
                f"sequence '{key}' comes a second time: expected its frames one after the other"
            )
        done.add(key)
        records = list(_records(frames, vertices))
        for tally in (total, groups.setdefault(group(key), _Tally())):
            tally.add_sequence(key, records)
    if not total.frames:
        raise EvaluationError("no frames to measure: is the list of sequences empty?")
    return Measured(total.result(), {name: tally.result() for name, tally in groups.items()})


@dataclass(frozen=True, eq=False)
class _Pair:
    """A true hand that was found.

    Args:
        joints: (21, 3) estimated, metres.
        id: Of the estimate.
        side_right, object_right: Whether they are.
        adds: ADD-S of its object, metres; None when there is none on either side.
        deviations: Of its wrist from the true one; NaN when it has no covariance.
    """

    joints: Array
    id: int
    side_right: bool
    object_right: bool
    adds: float | None
    deviations: float


@dataclass(frozen=True, eq=False)
class _Record:
    """One frame: its true hands, those found, and how many estimates there are of what kind."""

    stamp: float
    hands: dict[int, TrueHand]
    found: dict[int, _Pair]
    ids: frozenset[int]
    false_alarms: int
    estimates: int
    wrong: int
    confident_wrong: int


@dataclass
class _Tally:
    """What adds up over sequences; metres and seconds."""

    frames: int = 0
    seconds: float = 0.0
    hands: int = 0
    found: int = 0
    false_alarms: int = 0
    switches: int = 0
    estimates: int = 0
    wrong: int = 0
    confident_wrong: int = 0
    covered: list[bool] = field(default_factory=list)
    wrists: list[float] = field(default_factory=list)
    abs_joints: list[float] = field(default_factory=list)
    joints: list[float] = field(default_factory=list)
    adds: list[float] = field(default_factory=list)
    objects: list[bool] = field(default_factory=list)
    sides: list[bool] = field(default_factory=list)
    first_poses: list[float | None] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    trembling: list[Array] = field(default_factory=list)

    def add_sequence(self, key: str, records: list[_Record]) -> None:
        """Add all frames of one sequence."""
        self.frames += len(records)
        self.seconds += _duration(key, records)
        self.false_alarms += sum(record.false_alarms for record in records)
        self.estimates += sum(record.estimates for record in records)
        self.wrong += sum(record.wrong for record in records)
        self.confident_wrong += sum(record.confident_wrong for record in records)
        for record in records:
            self._add_frame(record)
        for number in sorted({number for record in records for number in record.hands}):
            history = [_sighting(record, number) for record in records]
            self.switches += id_switches(history)
            self.first_poses += first_pose_times(history)
            self.losses += loss_times(history)
            self._add_rest(records, number)

    def _add_frame(self, record: _Record) -> None:
        for number, hand in record.hands.items():
            if not counts(hand):
                continue
            self.hands += 1
            pair = record.found.get(number)
            if pair is None:
                continue
            self.found += 1
            apart = distances(pair.joints, hand.joints)
            relative = distances(root_relative(pair.joints), root_relative(hand.joints))
            self.wrists.append(wrist_error(pair.joints, hand.joints))
            self.abs_joints.append(float(np.nanmean(apart)))
            self.joints.append(float(np.nanmean(relative)))
            self.adds += [] if pair.adds is None else [pair.adds]
            self.objects.append(pair.object_right)
            self.sides.append(pair.side_right)
            if np.isfinite(pair.deviations):
                self.covered.append(pair.deviations <= MOST_DEVIATIONS)

    def _add_rest(self, records: list[_Record], number: int) -> None:
        """What a hand's estimate trembles in this sequence."""
        present = [record for record in records if number in record.hands]
        stamps = np.array([record.stamp for record in present])
        true = np.stack([record.hands[number].joints for record in present])
        pairs = [record.found.get(number) for record in present]
        nothing = np.full(true.shape[1:], np.nan)
        said = np.stack([nothing if pair is None else pair.joints for pair in pairs])
        for run in rest_runs(stamps, true):
            self.trembling.append(trembling(stamps[run], (said - true)[run]))

    def result(self) -> SequenceResult:
        """The numbers."""
        found = [time for time in self.first_poses if time is not None]
        return SequenceResult(
            wrist_median_mm=_mm(_quantile(self.wrists, 0.5)),
            wrist_p90_mm=_mm(_quantile(self.wrists, 0.9)),
            abs_mje_mm=_mm(_mean(self.abs_joints)),
            mje_mm=_mm(_mean(self.joints)),
            abs_adds_mm=_mm(_mean(self.adds)),
            object_id_accuracy=_mean(self.objects),
            detection_recall=self.found / self.hands if self.hands else None,
            false_alarms_per_minute=60 * self.false_alarms / self.seconds,
            id_switches=self.switches,
            jitter_mm=_mm(jitter(self.trembling)),
            first_pose_s=_quantile(found, 0.5),
            never_found=len(self.first_poses) - len(found),
            loss_s=_quantile(self.losses, 0.5),
            side_accuracy=_mean(self.sides),
            frames=self.frames,
            hands=self.hands,
            estimates=self.estimates,
            wrong=self.wrong,
            confident_wrong=self.confident_wrong,
            wrist_covered=_mean(self.covered),
            wrists_mm=tuple(1e3 * wrist for wrist in self.wrists),
        )


def _records(
    pairs: Iterable[tuple[TrueFrame, Estimate]], vertices: Mapping[str, Array]
) -> Iterator[_Record]:
    """Forget pictures as soon as the next one comes."""
    for truth, estimate in pairs:
        matches = match(truth.hands, estimate.hands, truth.frame.camera)
        yield _record(truth, estimate, matches, vertices)


def _record(
    truth: TrueFrame, estimate: Estimate, matches: Matches, vertices: Mapping[str, Array]
) -> _Record:
    found = {}
    for place, other in matches.pairs:
        hand, said = truth.hands[place], estimate.hands[other]
        thing = _object_of(said, estimate)
        found[hand.number] = _Pair(
            said.joints,
            said.id,
            said.side is hand.side,
            (None if thing is None else thing.object_id)
            == (None if hand.held is None else hand.held.object_id),
            _add_s(hand, thing, vertices),
            deviations(hand.joints[WRIST] - said.joints[WRIST], said.root.covariance),
        )
    hands = {hand.number: hand for hand in truth.hands}
    ids = frozenset(hand.id for hand in estimate.hands)
    placed = [hand for hand in estimate.hands if np.isfinite(hand.joints[WRIST]).all()]
    wrong = [hand for hand in placed if is_wrong(hand, truth.hands)]
    return _Record(
        truth.frame.stamp,
        hands,
        found,
        ids,
        len(matches.false_alarms),
        len(placed),
        len(wrong),
        sum(is_confident(hand, truth.hands) for hand in wrong),
    )


def _object_of(hand: HandEstimate, estimate: Estimate) -> ObjectEstimate | None:
    """What the hand is said to hold; the surest of several."""
    held = [thing for thing in estimate.objects if thing.hand_id == hand.id]
    return max(held, key=lambda thing: thing.score, default=None)


def _add_s(
    hand: TrueHand, said: ObjectEstimate | None, vertices: Mapping[str, Array]
) -> float | None:
    """Metres; None when either does not hold a thing, or its shape is not known."""
    true = hand.held
    if true is None or said is None or not {true.object_id, said.object_id} <= vertices.keys():
        return None
    ours = Pose(said.rotation, said.translation)(vertices[said.object_id])
    placed = Pose(true.rotation, true.translation)(vertices[true.object_id])
    return add_s(ours, placed)


def _sighting(record: _Record, number: int) -> Sighting:
    hand, pair = record.hands.get(number), record.found.get(number)
    if hand is None:
        return Sighting(record.stamp, 0.0, counts=False, id=None, ids=record.ids)
    seen_id = None if pair is None else pair.id
    return Sighting(record.stamp, hand.visible, counts(hand), seen_id, record.ids)


def _duration(key: str, records: list[_Record]) -> float:
    """Seconds, the last frame's own time included."""
    steps = np.diff([record.stamp for record in records])
    if (steps <= 0).any():
        raise EvaluationError(f"sequence '{key}': stamps do not increase; give frames in order")
    return float(steps.sum() + np.median(steps)) if len(steps) else _LONE_FRAME_S


def _quantile(values: list[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None


def _mean(values: list[float] | list[bool]) -> float | None:
    return float(np.mean(values)) if values else None


def _mm(metres: float | None) -> float | None:
    return None if metres is None else 1e3 * metres
