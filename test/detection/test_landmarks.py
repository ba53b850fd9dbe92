"""The landmark network agrees with TensorFlow Lite and can be exported."""

import numpy as np
import torch
from numpy.typing import NDArray

from hoisdf_ros.detection.hand_detector import HandDetector
from hoisdf_ros.detection.landmarks import LANDMARK_INPUT_SIZE, LandmarkNetwork


def test_outputs_are_those_of_tensorflow_lite(
    detector: HandDetector, hand_image: NDArray[np.uint8], golden: dict[str, NDArray[np.float32]]
) -> None:
    crops = torch.from_numpy(hand_image / 255).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        outputs = detector.landmarks(crops)
    for found, name in zip(outputs, ("pixels", "metres", "presence", "right"), strict=True):
        expected = golden[name]
        spread = np.ptp(expected) or 1.0  # a probability
        assert np.abs(found[0].numpy() - expected).max() < 1e-4 * spread, name


def test_a_batch_is_its_images_and_the_network_can_be_exported() -> None:
    torch.manual_seed(0)
    network = LandmarkNetwork().eval()
    crops = torch.rand(3, 3, LANDMARK_INPUT_SIZE, LANDMARK_INPUT_SIZE)
    batch = torch.export.Dim("batch", min=1, max=32)
    exported = torch.export.export(network, (crops,), dynamic_shapes=({0: batch},)).module()
    with torch.inference_mode():
        outputs = network(crops)
        assert [tuple(output.shape) for output in outputs] == [(3, 21, 3), (3, 21, 3), (3,), (3,)]
        for found, expected in zip(exported(crops[1:]), outputs, strict=True):
            torch.testing.assert_close(found, expected[1:], rtol=1e-4, atol=1e-5)
