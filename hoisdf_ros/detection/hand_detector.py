"""From an image to the hands in it: palms, landmarks, and nothing twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hoisdf_ros.datatypes import Box
from hoisdf_ros.detection.anchors import Palms, decode, joined
from hoisdf_ros.detection.detected_hand import DetectedHand, detected_hand
from hoisdf_ros.detection.landmarks import LANDMARK_INPUT_SIZE
from hoisdf_ros.detection.palm import PALM_INPUT_SIZE
from hoisdf_ros.detection.regions import Region, region_of_palm
from hoisdf_ros.detection.suppression import distinct_hands, merge_palms
from hoisdf_ros.detection.tiles import letterbox, tiles, whole
from hoisdf_ros.detection.weights import load_networks
from hoisdf_ros.errors import ConfigError, ImageError

Item = TypeVar("Item")

_HOPELESS = 0.1
"""A region with less presence is not worth a second look."""


@dataclass(frozen=True)
class HandDetectorConfig:
    """How eagerly hands are found.

    Args:
        palm_score: Palms below are not looked at further.
        presence: Hands below are not reported.
        followed_presence: The same for hands that were there a frame ago.
        tile_shares: Side of the tiles, as shares of the image's shorter side; empty: none.
        palm_overlap: Palms that share more (intersection over union) are one.
        apart: Hands whose landmarks' mean distance is less than this share of their size are one.
        max_hands: Hands reported, best first.
        max_palms: Palms looked at, best first: bounds the time that a picture takes.
        batch: Tiles or hands put through a network at a time: bounds the memory.
    """

    palm_score: float = 0.4
    presence: float = 0.65
    followed_presence: float = 0.5
    tile_shares: tuple[float, ...] = (1.0, 1 / 1.6)
    palm_overlap: float = 0.3
    apart: float = 0.25
    max_hands: int = 4
    max_palms: int = 12
    batch: int = 4

    def __post_init__(self) -> None:
        """Refuse what finds nothing, or everything."""
        for name in ("palm_score", "presence", "followed_presence", "palm_overlap"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(
                    f"{name} {getattr(self, name)}: expected more than 0, less than 1"
                )
        if not all(0.1 <= share <= 1 for share in self.tile_shares):
            raise ConfigError(
                f"tile_shares {self.tile_shares}: expected shares of the image's shorter side, "
                "from 0.1 to 1"
            )
        if min(self.max_hands, self.max_palms, self.batch) < 1:
            raise ConfigError(
                f"max_hands {self.max_hands}, max_palms {self.max_palms}, batch {self.batch}: "
                "expected at least 1"
            )


class HandDetector:
    """Finds hands in an image, and follows them more cheaply.

    Args:
        config: Thresholds.
        device: Where the networks run.
        weights: MediaPipe's ``hand_landmarker.task``; None takes the fetched one.

    Raises:
        DetectorError: The weights are missing or damaged.
    """

    def __init__(
        self,
        config: HandDetectorConfig | None = None,
        device: str | torch.device = "cpu",
        weights: Path | None = None,
    ) -> None:
        self.config = config or HandDetectorConfig()
        self.device = torch.device(device)
        palm, landmarks = load_networks(weights)
        # Measured: a quarter faster than channels first.
        layout = torch.channels_last
        self.palm = palm.to(self.device).to(memory_format=layout)  # type: ignore[call-overload]
        self.landmarks = landmarks.to(self.device).to(memory_format=layout)  # type: ignore[call-overload]

    def __call__(self, image: NDArray[np.uint8]) -> tuple[DetectedHand, ...]:
        """Find the hands in an image, in all of it and in every tile.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            Hands, best first.

        Raises:
            ImageError: It is no RGB image.
        """
        return self.find(image, self.windows(image))

    def windows(self, image: NDArray[np.uint8]) -> tuple[Box, ...]:
        """Where the call looks: the whole image, then its tiles, pixels.

        A robot short of time looks at the first and a few of the rest in turn.
        """
        height, width = _size(image)
        return (whole(height, width), *tiles(height, width, self.config.tile_shares))

    def find(self, image: NDArray[np.uint8], windows: Sequence[Box]) -> tuple[DetectedHand, ...]:
        """Find the hands in parts of an image.

        Args:
            image: (H, W, 3) uint8 RGB.
            windows: Parts to look at, pixels; hands of a seventh of their size or more are seen.

        Returns:
            Hands, best first.

        Raises:
            ImageError: It is no RGB image.
        """
        _size(image)
        palms = self._palms(image, windows)
        regions = [
            region_of_palm(box, points)
            for box, points in zip(palms.boxes, palms.points, strict=True)
        ]
        # Twice: the landmarks give a better region than the palm did.
        first = [hand for hand in self._look(image, regions) if hand.presence > _HOPELESS]
        second = self._look(image, [hand.region for hand in first])
        hands = [hand for hand in second if hand.presence >= self.config.presence]
        return tuple(self._distinct(hands)[: self.config.max_hands])

    def follow(
        self, image: NDArray[np.uint8], regions: Sequence[Region]
    ) -> tuple[DetectedHand | None, ...]:
        """Find hands again where they were expected, with the landmark network only.

        Args:
            image: (H, W, 3) uint8 RGB.
            regions: Of last frame's hands, or of a prediction (`region_of_landmarks`).

        Returns:
            For each region its hand, or None if it is gone. Two regions may come to show one
            hand, then the better keeps it.

        Raises:
            ImageError: It is no RGB image.
        """
        _size(image)
        hands = self._look(image, regions)
        lost = self.config.followed_presence
        kept = [hand for hand in hands if hand.presence >= lost]
        distinct = self._distinct(kept)
        return tuple(hand if hand in distinct else None for hand in hands)

    def _distinct(self, hands: list[DetectedHand]) -> list[DetectedHand]:
        if not hands:
            return []
        landmarks = np.stack([hand.landmarks for hand in hands])
        scores = np.array([hand.presence for hand in hands])
        return [hands[index] for index in distinct_hands(landmarks, scores, self.config.apart)]

    def _palms(self, image: NDArray[np.uint8], windows: Sequence[Box]) -> Palms:
        """The best palms in all windows, each once."""
        boxed = [letterbox(image, window, PALM_INPUT_SIZE) for window in windows]
        found: list[Palms] = []
        for some in _batches(boxed, self.config.batch):
            with torch.inference_mode():
                values, logits = self.palm(self._tensor([square for square, _ in some]))
            rows = zip(values.cpu().numpy(), logits.cpu().numpy(), some, strict=True)
            found += [
                decode(value, logit, self.config.palm_score, to_image)
                for value, logit, (_, to_image) in rows
            ]
        merged = merge_palms(joined(found), self.config.palm_overlap)
        return merged[np.arange(len(merged)) < self.config.max_palms]

    def _look(self, image: NDArray[np.uint8], regions: Sequence[Region]) -> list[DetectedHand]:
        """What the landmark network says about each region, hand or not."""
        hands: list[DetectedHand] = []
        for some in _batches(list(regions), self.config.batch):
            crops = [region.crop(image, LANDMARK_INPUT_SIZE) for region in some]
            with torch.inference_mode():
                outputs = self.landmarks(self._tensor(crops))
            arrays = (output.cpu().double().numpy() for output in outputs)
            hands += [detected_hand(*row) for row in zip(some, *arrays, strict=True)]
        return hands

    def _tensor(self, crops: Sequence[NDArray[np.uint8]]) -> Tensor:
        """(B, 3, H, W) in [0, 1], channels last."""
        batch = torch.from_numpy(np.stack(crops)).to(self.device)
        return batch.permute(0, 3, 1, 2).float().div_(255.0)


def _size(image: NDArray[np.uint8]) -> tuple[int, int]:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ImageError(f"image is {image.dtype} {image.shape}, expected uint8 (H, W, 3), RGB")
    return image.shape[0], image.shape[1]


def _batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
