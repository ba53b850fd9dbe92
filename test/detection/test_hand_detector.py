"""Finding and following hands in pictures pasted together from one."""

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hoisdf_ros.conventions import WRIST, Side
from hoisdf_ros.datatypes import Array, Box
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.hand_detector import HandDetector, HandDetectorConfig
from hoisdf_ros.detection.regions import Region
from hoisdf_ros.detection.tiles import whole
from hoisdf_ros.errors import ConfigError, ImageError

Image = NDArray[np.uint8]
SIZE = (480, 640)
MIDDLE_TIP = 12


def scene(hand: Image, *places: tuple[int, int, int]) -> Image:
    """Grey, with the hand at each (x, y, side), pixels."""
    image = np.full((*SIZE, 3), 120, np.uint8)
    for x, y, side in places:
        small = cv2.resize(hand, (side, side), interpolation=cv2.INTER_AREA)
        image[y : y + side, x : x + side] = small
    return image


def whole_image(detector: HandDetector, image: Image) -> tuple[DetectedHand, ...]:
    return detector.find(image, [whole(*image.shape[:2])])


def overlap(a: Box, b: Box) -> float:
    low, high = np.maximum(a.array()[:2], b.array()[:2]), np.minimum(a.array()[2:], b.array()[2:])
    shared = np.clip(high - low, 0, None).prod()
    return float(shared / (np.prod(a.size) + np.prod(b.size) - shared))


@pytest.fixture(scope="module")
def image(hand_image: Image) -> Image:
    return scene(hand_image, (200, 100, 300))


@pytest.fixture(scope="module")
def hand(detector: HandDetector, image: Image) -> DetectedHand:
    (found,) = whole_image(detector, image)
    return found


def test_a_right_hand_is_found_where_it_is(
    hand: DetectedHand, golden: dict[str, NDArray[np.float32]]
) -> None:
    expected = golden["pixels"][:, :2] * 300 / 224 + (200, 100)
    assert np.linalg.norm(hand.landmarks - expected, axis=1).mean() < 10
    assert hand.side is Side.RIGHT
    assert hand.presence > 0.8
    assert hand.landmarks[WRIST, 1] > hand.landmarks[MIDDLE_TIP, 1]  # fingers up


def test_world_landmarks_are_a_hand_in_metres_from_the_wrist(hand: DetectedHand) -> None:
    assert (hand.world[WRIST] == 0).all()
    assert 0.1 < np.linalg.norm(hand.world[MIDDLE_TIP]) < 0.25
    along = hand.landmarks[MIDDLE_TIP] - hand.landmarks[WRIST]
    cosine = along @ hand.world[MIDDLE_TIP, :2]
    assert cosine > 0.9 * np.linalg.norm(along) * np.linalg.norm(hand.world[MIDDLE_TIP, :2])


def test_the_mirrored_image_has_a_left_hand(
    detector: HandDetector, image: Image, hand: DetectedHand
) -> None:
    (mirrored,) = whole_image(detector, np.ascontiguousarray(image[:, ::-1]))
    assert mirrored.side is Side.LEFT
    there = mirrored.landmarks * (-1, 1) + (SIZE[1] - 1, 0)
    assert np.linalg.norm(there - hand.landmarks, axis=1).mean() < 12


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_hand_is_found_turned(
    detector: HandDetector, image: Image, hand: DetectedHand, turns: int
) -> None:
    turned = np.ascontiguousarray(np.rot90(image, turns))
    (found,) = whole_image(detector, turned)
    height, width = SIZE
    expected: Array = hand.landmarks
    for _ in range(turns):  # anticlockwise
        expected = np.stack([expected[:, 1], width - 1 - expected[:, 0]], axis=1)
        height, width = width, height
    assert np.linalg.norm(found.landmarks - expected, axis=1).mean() < 20
    assert found.side is Side.RIGHT


def test_nothing_is_found_where_nothing_is(detector: HandDetector) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    for picture in (np.zeros((*SIZE, 3), np.uint8), noise, np.full((7, 5, 3), 90, np.uint8)):
        assert detector(picture) == ()
    assert detector.find(noise, []) == ()
    assert detector.follow(noise, []) == ()


def test_two_hands_are_two_and_the_limit_holds(detector: HandDetector, hand_image: Image) -> None:
    picture = scene(hand_image, (20, 120, 280), (340, 140, 280))
    hands = whole_image(detector, picture)
    assert sorted(hand.box.center[0] > 320 for hand in hands) == [False, True]
    assert [hand.presence for hand in hands] == sorted((h.presence for h in hands), reverse=True)
    config = HandDetectorConfig(max_hands=1, tile_shares=())
    assert len(HandDetector(config)(picture)) == 1


def test_tiles_find_a_hand_that_is_too_small_for_the_whole_image(
    detector: HandDetector, hand_image: Image
) -> None:
    picture = np.full((960, 1280, 3), 120, np.uint8)
    picture[300:420, 700:820] = cv2.resize(hand_image, (120, 120), interpolation=cv2.INTER_AREA)
    assert whole_image(detector, picture) == ()
    (found,) = detector.find(picture, [Box(600.0, 200.0, 900.0, 500.0)])
    assert 690 < found.box.center[0] < 830
    assert 290 < found.box.center[1] < 430


def test_every_window_counts_once(detector: HandDetector, image: Image, hand: DetectedHand) -> None:
    hands = detector(image)
    assert len(hands) == 1
    assert overlap(hands[0].box, hand.box) > 0.7
    assert len(detector.windows(image)) == 3


def test_a_hand_is_followed_through_a_motion(
    detector: HandDetector, image: Image, hand: DetectedHand
) -> None:
    region, wrist = hand.region, hand.landmarks[WRIST]
    for step in range(1, 5):
        moved = np.roll(image, (4 * step, 12 * step), axis=(0, 1))
        (found,) = detector.follow(moved, [region])
        assert found is not None
        drift = found.landmarks[WRIST] - wrist - (12 * step, 4 * step)
        assert np.linalg.norm(drift) < 15
        assert found.side is Side.RIGHT
        region = found.region


def test_a_hand_that_has_gone_is_lost(detector: HandDetector, hand: DetectedHand) -> None:
    empty = np.full((*SIZE, 3), 120, np.uint8)
    assert detector.follow(empty, [hand.region]) == (None,)


def test_two_regions_on_one_hand_give_one_hand(
    detector: HandDetector, image: Image, hand: DetectedHand
) -> None:
    region = hand.region
    beside = Region(region.x + 5, region.y, region.size * 1.05, region.angle)
    away = Region(60.0, 60.0, 100.0, 0.0)
    found = detector.follow(image, [beside, away, region])
    assert found[1] is None
    assert [found[0], found[2]].count(None) == 1


def test_results_do_not_depend_on_the_batch(detector: HandDetector, image: Image) -> None:
    one = HandDetector(HandDetectorConfig(batch=1, tile_shares=(1.0,)))
    (alone,), (together,) = one(image), detector(image)
    np.testing.assert_allclose(alone.landmarks, together.landmarks, atol=0.05)
    assert torch.device("cpu") == one.device


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4)), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_image_is_refused(detector: HandDetector, wrong: Image) -> None:
    with pytest.raises(ImageError, match="expected uint8"):
        detector(wrong)
    with pytest.raises(ImageError, match="expected uint8"):
        detector.follow(wrong, [])


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"presence 1\.5"):
        HandDetectorConfig(presence=1.5)
    with pytest.raises(ConfigError, match="tile_shares"):
        HandDetectorConfig(tile_shares=(0.01,))
    with pytest.raises(ConfigError, match="max_hands 0"):
        HandDetectorConfig(max_hands=0)
