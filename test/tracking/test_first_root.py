"""The wrist to begin with: measured where it can be, expected where that agrees."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import FINGER_BASES, RootSource, Side
from hoisdf_ros.datatypes import Box, Camera, Detection, Frame, Root
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.regions import region_of_landmarks
from hoisdf_ros.detection.votes import Votes
from hoisdf_ros.errors import RootError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.postprocessing.apparent_size import PALM
from hoisdf_ros.postprocessing.smoothing import Smoother
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.tracking.first_root import first_root, what_may_be_held
from hoisdf_ros.tracking.sighting import Sighting
from hoisdf_ros.tracking.track import Track

SPREAD = np.array(
    [[0, 0, 0], *([0.02 * (f - 2), -0.03 * (s + 2), 0] for f in range(5) for s in range(4))]
)
"""(21, 3) joints of a spread hand, fingers up, metres from the wrist."""

CAMERA = Camera(600, 600, 320, 240, 640, 480)
WRIST = np.array([0.02, 0.05, 0.6])
LANDMARKS = project(WRIST + SPREAD, CAMERA)
BOX = Box(*LANDMARKS.min(axis=0), *LANDMARKS.max(axis=0))
SEEN = DetectedHand(BOX, LANDMARKS, SPREAD, 0.9, 0.9, region_of_landmarks(LANDMARKS))
DEPTH, RGB = EstimatorConfig(), EstimatorConfig(depth_mode="none")


def frame(depth: float | None = 0.58) -> Frame:
    image = np.zeros((480, 640, 3), np.uint8)
    flat = None if depth is None else np.full((480, 640), depth, np.float32)
    return Frame(image, CAMERA, flat, stamp=0.1)


def track(position: "np.typing.NDArray[np.float64]") -> Track:
    return Track(
        id=0,
        side=Side.RIGHT,
        votes=Votes(),
        score=0.9,
        stamp=0.0,
        measured=0.0,
        root=Root(position, 1e-4 * np.eye(3), RootSource.DEPTH),
        velocity=np.zeros(3),
        joints=SPREAD,
        box=BOX,
        region=None,
        smoother=Smoother(),
    )


def sighting(seen: DetectedHand | None = None, old: Track | None = None) -> Sighting:
    region = HandRegion(Side.RIGHT, 1.0, Detection("right_hand", BOX), None)
    return Sighting(region, Votes(), seen, old)


def test_landmarks_with_depth_give_the_wrist() -> None:
    root, measured = first_root(frame(), sighting(SEEN), DEPTH, refined=True)
    assert root is measured
    assert root.source is RootSource.DEPTH
    assert np.linalg.norm(root.position - WRIST) < 0.02


def test_the_box_does_where_there_are_no_landmarks() -> None:
    root, _ = first_root(frame(), sighting(), DEPTH, refined=True)
    assert root.position[2] == pytest.approx(0.6, abs=0.005)


def test_a_track_that_agrees_is_the_better_guess_and_one_that_does_not_is_none() -> None:
    near, far = track(WRIST + 0.01), track(WRIST + 0.1)
    root, measured = first_root(frame(), sighting(SEEN, near), DEPTH, refined=True)
    assert root.source is RootSource.TRACK
    np.testing.assert_allclose(root.position, WRIST + 0.01)
    assert measured is not None
    root, measured = first_root(frame(), sighting(SEEN, far), DEPTH, refined=True)
    assert root is measured


def test_a_guess_that_is_never_refined_is_not_taken() -> None:
    root, measured = first_root(frame(), sighting(SEEN, track(WRIST + 0.01)), DEPTH, refined=False)
    assert root is measured


@pytest.mark.parametrize("config", [DEPTH, RGB])
def test_a_frame_that_says_nothing_leaves_the_track_or_nothing(config: EstimatorConfig) -> None:
    blind = frame(None)
    with pytest.raises(RootError):
        first_root(blind, sighting(), config, refined=True)
    root, measured = first_root(blind, sighting(old=track(WRIST)), config, refined=True)
    assert measured is None
    assert root.source is RootSource.TRACK
    assert np.trace(root.covariance) > 3e-4


def test_without_depth_the_size_of_the_palm_gives_the_wrist_roughly_and_says_so() -> None:
    hand = SPREAD.copy()
    hand[list(FINGER_BASES)] = np.pad(PALM - np.array([0.0, 0.09]), ((0, 0), (0, 1)))
    seen = replace(SEEN, landmarks=project(WRIST + hand, CAMERA), world=3.0 * hand)
    root, _ = first_root(frame(None), sighting(seen), RGB, refined=True)
    assert root.source is RootSource.DETECTION
    assert np.linalg.norm(root.position - WRIST) < 1e-3
    along = root.position / np.linalg.norm(root.position)
    across = np.cross(along, [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    assert along @ root.covariance @ along > 0.08**2
    assert across @ root.covariance @ across < 0.02**2


def test_a_followed_hand_holds_what_it_held() -> None:
    held = Box(200, 200, 300, 300)
    old = replace(track(WRIST), held=held)
    root = old.root
    assert what_may_be_held(frame(), sighting(SEEN, old), root) == held
    new = what_may_be_held(frame(), sighting(SEEN), root)
    assert new is not None
    assert new.x0 <= BOX.x0 < BOX.x1 <= new.x1
