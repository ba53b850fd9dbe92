"""The hand detector, where the settings want one and its weights are there."""

from dataclasses import dataclass

import torch

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.detection.hand_detector import HandDetector, HandDetectorConfig
from hoisdf_ros.errors import DetectorError
from hoisdf_ros.tracking.sighter import Detector

_MOST_HANDS = 8  # that `max_hands` can ask for while running


@dataclass(frozen=True)
class LoadedDetector:
    """What finds hands.

    Args:
        detector: The detector, or None.
        words: ``builtin``, or why there is none.
        missing: It is wanted and cannot be had.
    """

    detector: Detector | None
    words: str
    missing: bool = False


def load_detector(config: EstimatorConfig, device: str | torch.device) -> LoadedDetector:
    """The built-in detector; without its weights hands still come from `detections`.

    Args:
        config: Whether hands are found, and whether their joints' pixels are needed.
        device: Where the networks run.
    """
    if config.hand_detector != "builtin" and config.depth_mode == "aligned":
        return LoadedDetector(None, f"hand_detector is {config.hand_detector}")
    try:
        detector = HandDetector(HandDetectorConfig(max_hands=_MOST_HANDS), device)
    except DetectorError as error:
        return LoadedDetector(None, str(error), missing=True)
    return LoadedDetector(detector, "builtin")
