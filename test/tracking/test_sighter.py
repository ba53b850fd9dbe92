"""Where hands are taken from: boxes from outside first, then tracks, then the detector."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, Frame, Root
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.regions import Region, region_of_landmarks
from hoisdf_ros.detection.votes import Votes
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.postprocessing.smoothing import Smoother
from hoisdf_ros.tracking.sighter import Sighter
from hoisdf_ros.tracking.track import Track

SPREAD = np.array(
    [[0, 0, 0], *([0.02 * (f - 2), -0.03 * (s + 2), 0] for f in range(5) for s in range(4))]
)
"""(21, 3) joints of a spread hand, fingers up, metres from the wrist."""

CAMERA = Camera(600, 600, 320, 240, 640, 480)
IMAGE = np.zeros((480, 640, 3), np.uint8)
LEFT_OF_IT, RIGHT_OF_IT = np.array([-0.15, 0.1, 0.6]), np.array([0.15, 0.1, 0.6])
WHOLE = Box(-0.5, -0.5, 639.5, 479.5)
BUILTIN = EstimatorConfig()


def detected(wrist: Array, right: float = 0.9, presence: float = 0.8) -> DetectedHand:
    joints = wrist + SPREAD
    landmarks = project(joints, CAMERA)
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    region = region_of_landmarks(landmarks)
    return DetectedHand(Box(*low, *high), landmarks, joints - wrist, presence, right, region)


class FakeDetector:
    """Sees the hands it was told of, wherever it looks.

    Args:
        hands: Those in every picture.
    """

    def __init__(self, *hands: DetectedHand) -> None:
        self.hands = hands
        self.searched: list[Sequence[Box]] = []

    def windows(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        assert image is IMAGE
        return (WHOLE,)

    def find(self, image: NDArray[np.uint8], windows: Sequence[Box]) -> tuple[DetectedHand, ...]:
        assert image is IMAGE
        self.searched.append(windows)
        return self.hands if windows else ()

    def follow(
        self, image: NDArray[np.uint8], regions: Sequence[Region]
    ) -> tuple[DetectedHand | None, ...]:
        assert image is IMAGE
        return tuple(
            next((h for h in self.hands if np.hypot(h.region.x - r.x, h.region.y - r.y) < 40), None)
            for r in regions
        )


def frame(*detections: Detection, stamp: float = 0.1) -> Frame:
    return Frame(IMAGE, CAMERA, None, detections, stamp)


def track(wrist: Array, number: int = 0, side: Side = Side.RIGHT) -> Track:
    hand = detected(wrist)
    return Track(
        id=number,
        side=side,
        votes=Votes().plus(float(side is Side.RIGHT)),
        score=0.9,
        stamp=0.0,
        measured=0.0,
        root=Root(wrist, 1e-4 * np.eye(3), RootSource.DEPTH),
        velocity=np.zeros(3),
        joints=SPREAD,
        box=hand.box,
        region=hand.region,
        smoother=Smoother(),
    )


def searched(detector: FakeDetector) -> int:
    return sum(len(windows) for windows in detector.searched)


def test_nothing_known_is_searched_and_found() -> None:
    detector = FakeDetector(detected(LEFT_OF_IT), detected(RIGHT_OF_IT, right=0.2))
    one, other = Sighter(detector)(frame(), [], BUILTIN)
    assert (one.region.side, other.region.side) == (Side.RIGHT, Side.LEFT)
    assert one.region.hand.label == "right_hand"
    assert one.track is None
    assert one.landmarks is detector.hands[0]
    assert not one.given


def test_a_good_track_costs_no_search_and_is_not_found_again() -> None:
    detector = FakeDetector(detected(LEFT_OF_IT))
    old = track(LEFT_OF_IT)
    for config in (replace(BUILTIN, max_hands=1), replace(BUILTIN, search_rate_hz=0.0)):
        (sighting,) = Sighter(detector)(frame(), [old], config)
        assert sighting.track is old
        assert sighting.landmarks is detector.hands[0]
    assert searched(detector) == 0
    (sighting,) = Sighter(detector)(frame(), [old], BUILTIN)
    assert sighting.track is old
    assert searched(detector) == 1


def test_a_second_hand_is_found_beside_a_track() -> None:
    detector = FakeDetector(detected(LEFT_OF_IT), detected(RIGHT_OF_IT))
    first, second = Sighter(detector)(frame(), [track(LEFT_OF_IT)], BUILTIN)
    assert first.track is not None
    assert second.track is None
    assert second.landmarks is detector.hands[1]


def test_no_more_hands_than_wanted() -> None:
    detector = FakeDetector(detected(LEFT_OF_IT), detected(RIGHT_OF_IT))
    assert len(Sighter(detector)(frame(), [], replace(BUILTIN, max_hands=1))) == 1


def test_landmarks_that_are_gone_leave_the_track_to_its_pose_and_it_is_looked_for() -> None:
    detector = FakeDetector()
    old = track(LEFT_OF_IT)
    (sighting,) = Sighter(detector)(frame(), [old], BUILTIN)
    assert sighting.landmarks is None
    np.testing.assert_allclose(sighting.region.hand.box.array(), old.box.array())
    ((window,),) = detector.searched
    assert window.x0 < old.box.x0 < old.box.x1 < window.x1 < WHOLE.x1  # not in the whole image


def test_tracks_that_are_seen_best_come_first() -> None:
    tracks = [track(np.array([x, 0.1, 0.6]), number) for number, x in enumerate((-0.2, 0.0, 0.2))]
    seen = [
        detected(old.root.position, presence=presence)
        for old, presence in zip(tracks[1:], (0.6, 0.9), strict=True)
    ]
    sightings = Sighter(FakeDetector(*seen))(frame(), tracks, replace(BUILTIN, max_hands=3))
    assert [one.track for one in sightings] == [tracks[2], tracks[1], tracks[0]]


def test_landmarks_that_went_astray_do_not_take_the_box_with_them() -> None:
    hand = detected(LEFT_OF_IT)
    step = np.array([6.0, -4.0, 6.0, -4.0])
    region = replace(hand.region, x=hand.region.x + 6.0, y=hand.region.y - 4.0)
    moved = replace(hand, box=Box(*(hand.box.array() + step).tolist()), region=region)
    old = track(LEFT_OF_IT)
    (followed,) = Sighter(FakeDetector(moved))(frame(), [old], replace(BUILTIN, max_hands=1))
    assert followed.region.hand.box == moved.box
    edge = moved.box.x0 + 0.6 * moved.box.size[0]
    astray = replace(moved, box=replace(moved.box, x0=edge))
    (sighting,) = Sighter(FakeDetector(astray))(frame(), [old], replace(BUILTIN, max_hands=1))
    np.testing.assert_allclose(sighting.region.hand.box.array(), hand.box.array() + step)
    assert sighting.landmarks is astray  # its side counts all the same


def test_a_track_without_landmarks_or_pose_is_left_out() -> None:
    blind = replace(track(LEFT_OF_IT), joints=None)
    assert Sighter(FakeDetector())(frame(), [blind], BUILTIN) == []


def test_boxes_from_outside_win_over_the_track_and_object_boxes_join_it() -> None:
    detector = FakeDetector(detected(LEFT_OF_IT))
    old = track(LEFT_OF_IT)
    near = Box(old.box.x0 + 5, old.box.y0, old.box.x1 + 5, old.box.y1)
    hand, held = Detection("right_hand", near, 0.7), Detection("thing", near, 0.8)
    (sighting,) = Sighter(detector)(frame(hand, held), [old], replace(BUILTIN, max_hands=1))
    assert sighting.given
    assert sighting.track is old
    assert sighting.region.hand is hand
    assert sighting.region.held == held
    (sighting,) = Sighter(detector)(frame(held), [old], replace(BUILTIN, max_hands=1))
    assert not sighting.given
    assert sighting.region.held == held  # the object alone is given, the hand is followed


def test_a_given_box_of_the_other_side_is_another_hand_and_leaves_no_double() -> None:
    old = track(LEFT_OF_IT)
    hand = Detection("left_hand", old.box, 0.7)
    (sighting,) = Sighter(None)(frame(hand), [old], BUILTIN)
    assert sighting.given
    assert sighting.track is None


@pytest.mark.parametrize("mode", ["external", "track"])
def test_without_the_builtin_detector_nothing_is_searched(mode: str) -> None:
    detector = FakeDetector(detected(LEFT_OF_IT))
    config = replace(BUILTIN, hand_detector=mode)
    assert Sighter(detector)(frame(), [], config) == []
    followed = Sighter(detector)(frame(), [track(LEFT_OF_IT)], config)
    assert len(followed) == (1 if mode == "track" else 0)
    assert searched(detector) == 0


def test_sides_are_voted_on_and_a_setting_overrules_them() -> None:
    old = track(LEFT_OF_IT)
    for _ in range(20):
        old = replace(old, votes=old.votes.plus(1.0))
    sceptic = FakeDetector(detected(LEFT_OF_IT, right=0.1))
    (sighting,) = Sighter(sceptic)(frame(), [old], replace(BUILTIN, max_hands=1))
    assert sighting.region.side is Side.RIGHT
    assert sighting.votes.score < old.votes.score
    forced = replace(BUILTIN, max_hands=1, side="left")
    (sighting,) = Sighter(sceptic)(frame(), [old], forced)
    assert (sighting.region.side, sighting.region.side_score) == (Side.LEFT, 1.0)


def test_without_depth_a_given_box_gets_landmarks() -> None:
    detector = FakeDetector(detected(LEFT_OF_IT), detected(RIGHT_OF_IT))
    hand = Detection("right_hand", detector.hands[1].box)
    config = replace(BUILTIN, hand_detector="external", depth_mode="none")
    (sighting,) = Sighter(detector)(frame(hand), [], config)
    assert sighting.landmarks is detector.hands[1]
    assert sighting.region.hand is hand
    (sighting,) = Sighter(detector)(frame(hand), [], replace(config, depth_mode="aligned"))
    assert sighting.landmarks is None
