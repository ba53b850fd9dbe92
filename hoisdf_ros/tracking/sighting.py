"""Where a hand is taken to be in this frame, before the network looks."""

from dataclasses import dataclass, replace

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Box, Detection
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.votes import Votes
from hoisdf_ros.preprocessing.boxes import HAND_LABELS, HandRegion
from hoisdf_ros.tracking.track import Track

_LABELS = {side: label for label, side in HAND_LABELS.items()}


@dataclass(frozen=True, eq=False)
class Sighting:
    """A hand that may be in this frame.

    Args:
        region: Its box and side, and what it holds.
        votes: What was seen of the side, this frame's opinion included.
        landmarks: As the landmark network sees it; None when it did not look, or saw no hand.
        track: The hand it was; None for a new one.
        given: Its box came from outside.
    """

    region: HandRegion
    votes: Votes
    landmarks: DetectedHand | None = None
    track: Track | None = None
    given: bool = False

    @property
    def name(self) -> str:
        """For notes."""
        return self.region.hand.label

    def with_landmarks(
        self, landmarks: DetectedHand, config: EstimatorConfig, box: Box | None = None
    ) -> "Sighting":
        """The same hand, now that the landmark network has seen it.

        Args:
            landmarks: What it saw.
            config: Of the side.
            box: Where the hand is, pixels; None: around the landmarks.
        """
        votes = self.votes.plus(landmarks.right_score, landmarks.presence)
        if self.given:
            return replace(self, landmarks=landmarks)
        region = region_of(box or landmarks.box, landmarks.presence, votes, config)
        return replace(self, region=region, votes=votes, landmarks=landmarks)


def region_of(box: Box, score: float, votes: Votes, config: EstimatorConfig) -> HandRegion:
    """A hand that was found or followed here, on the side that the votes or a setting name."""
    if config.side == "auto":
        side, side_score = votes.side, votes.score
    else:
        side, side_score = Side[config.side.upper()], 1.0
    return HandRegion(side, side_score, Detection(_LABELS[side], box, score), None)
