"""How many hands the built-in detector finds in labelled pictures, and how long it takes."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.hand_detector import HandDetector
from hoisdf_ros.detection.regions import Region
from hoisdf_ros.detection.suppression import overlaps
from hoisdf_ros.geometry.camera import project

Find = Callable[[NDArray[np.uint8]], Sequence[DetectedHand]]

FOUND_IOU, NEAR_IOU = 0.5, 0.3
"""Overlap (intersection over union) with the true box, around the joints, of a hand that is
found, and below which a detection is a false alarm."""


@dataclass
class Tally:
    """What was found in a number of pictures.

    Args:
        way: How was looked.
        pictures: With one hand each.
        found: Hands found.
        near: Hands found roughly.
        right_side: Of the roughly found ones, those of the true side.
        false_alarms: Detections elsewhere.
        wrist_px: Distance from landmark to true wrist of each found hand, pixels.
        times_ms: Time of each picture, milliseconds.
    """

    way: str
    pictures: int = 0
    found: int = 0
    near: int = 0
    right_side: int = 0
    false_alarms: int = 0
    wrist_px: list[float] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)

    def add(self, sample: Sample, find: Find) -> tuple[DetectedHand, ...]:
        """Look at one more picture; gives the hand that was found there, if it was."""
        if sample.joints is None or sample.hand_box is None:
            return ()
        start = time.perf_counter()
        hands = find(sample.image)
        self.times_ms.append(1e3 * (time.perf_counter() - start))
        self.pictures += 1
        if not hands:
            return ()
        boxes = np.stack([hand.box.array() for hand in hands])
        shares = overlaps(boxes, sample.hand_box.array()[None])[:, 0]
        self.false_alarms += int((shares < NEAR_IOU).sum())
        best = int(shares.argmax())
        if shares[best] < NEAR_IOU:
            return ()
        self.near += 1
        self.right_side += hands[best].side is sample.side
        if shares[best] >= FOUND_IOU:
            self.found += 1
            wrist = project(sample.joints[[WRIST]], sample.camera)[0]
            distance = np.linalg.norm(hands[best].landmarks[WRIST] - wrist)
            self.wrist_px.append(float(distance))
        return (hands[best],)

    def row(self) -> str:
        """One line of the table."""
        count = max(self.pictures, 1)
        numbers = (
            f"{self.found / count:>8.2f}{self.near / count:>8.2f}"
            f"{self.false_alarms / count:>8.2f}{self.right_side / max(self.near, 1):>8.2f}"
        )
        wrist = f"{np.median(self.wrist_px):>8.1f}" if self.wrist_px else f"{'-':>8}"
        taken = f"{np.median(self.times_ms):>8.1f}" if self.times_ms else f"{'-':>8}"
        return f"{self.way:<26}{self.pictures:>8}{numbers}{wrist}{taken}"


HEADER = f"{'':<26}{'hands':>8}{'found':>8}{'near':>8}{'false':>8}{'side':>8}{'px':>8}{'ms':>8}"
LEGEND = (
    f"found, near: share of the hands with IoU >= {FOUND_IOU}, {NEAR_IOU}; false: detections a "
    f"picture with IoU < {NEAR_IOU}; side: share of the near ones; px: median distance of the "
    "found ones' wrists; ms: median"
)


def measure(detector: HandDetector, samples: Iterable[Sample]) -> tuple[Tally, ...]:
    """Look at each picture in three ways.

    Args:
        detector: The detector.
        samples: Pictures with one hand each.

    Returns:
        Of the whole image alone, of image and tiles, and of following what that found.
    """
    image, all_windows = Tally("whole image"), Tally("image and tiles")
    followed = Tally("following what was found")
    for sample in samples:
        image.add(sample, lambda pixels: detector.find(pixels, detector.windows(pixels)[:1]))
        regions = [hand.region for hand in all_windows.add(sample, detector)]
        if regions:
            followed.add(sample, partial(_followed, detector, regions))
    return image, all_windows, followed


def _followed(
    detector: HandDetector, regions: Sequence[Region], image: NDArray[np.uint8]
) -> list[DetectedHand]:
    return [hand for hand in detector.follow(image, regions) if hand is not None]
