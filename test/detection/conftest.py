"""The detector's weights, where set-up has fetched them, and a picture with a hand.

hand.png is drawn by this package: the packaged stand-in hand, a right one, fingers up.
golden.npz holds what TensorFlow Lite makes of it, see make_golden.py.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hoisdf_ros.detection.hand_detector import HandDetector, HandDetectorConfig
from hoisdf_ros.detection.weights import GET_WEIGHTS, find_weights
from hoisdf_ros.npz import read_npz

HERE = Path(__file__).parent

Image = NDArray[np.uint8]


@pytest.fixture(scope="session")
def weights() -> Path:
    found = find_weights()
    if found is None:
        pytest.skip(f"the hand detector's weights are missing: {GET_WEIGHTS}")
    return found


@pytest.fixture(scope="session")
def detector(weights: Path) -> HandDetector:
    torch.set_num_threads(1)
    return HandDetector(HandDetectorConfig(tile_shares=(1.0,)), weights=weights)


@pytest.fixture(scope="session")
def hand_image() -> Image:
    image = cv2.imread(str(HERE / "hand.png"))
    assert image is not None
    return np.ascontiguousarray(image[:, :, ::-1]).astype(np.uint8)


@pytest.fixture(scope="session")
def golden() -> dict[str, NDArray[np.float32]]:
    return read_npz(HERE / "golden.npz")
