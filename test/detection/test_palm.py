"""The palm network agrees with TensorFlow Lite and can be exported."""

import numpy as np
import torch
from numpy.typing import NDArray

from hoisdf_ros.detection.hand_detector import HandDetector
from hoisdf_ros.detection.palm import PALM_INPUT_SIZE, PalmNetwork

BORDER = 16


def network_input(image: NDArray[np.uint8]) -> torch.Tensor:
    inner = image[BORDER:-BORDER, BORDER:-BORDER]
    return torch.from_numpy(inner / 255).permute(2, 0, 1)[None].float()


def test_outputs_are_those_of_tensorflow_lite(
    detector: HandDetector, hand_image: NDArray[np.uint8], golden: dict[str, NDArray[np.float32]]
) -> None:
    with torch.inference_mode():
        values, logits = detector.palm(network_input(hand_image))
    for found, name in ((values[0, ::16], "values"), (logits[0], "logits")):
        expected = golden[name]
        assert np.abs(found.numpy() - expected).max() < 1e-4 * np.ptp(expected)
    assert golden["logits"].max() > 0  # there is a palm


def test_a_batch_is_its_images() -> None:
    torch.manual_seed(0)
    network = PalmNetwork().eval()
    images = torch.rand(2, 3, PALM_INPUT_SIZE, PALM_INPUT_SIZE)
    with torch.inference_mode():
        values, logits = network(images)
        again = network(images[1:])
    assert values.shape == (2, 2016, 18)
    assert logits.shape == (2, 2016)
    torch.testing.assert_close(values[1:], again[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits[1:], again[1], rtol=1e-4, atol=1e-4)


def test_it_exports_for_any_batch() -> None:
    torch.manual_seed(0)
    network = PalmNetwork().eval()
    images = torch.rand(3, 3, PALM_INPUT_SIZE, PALM_INPUT_SIZE)
    batch = torch.export.Dim("batch", min=1, max=32)
    exported = torch.export.export(network, (images,), dynamic_shapes=({0: batch},)).module()
    with torch.inference_mode():
        for found, expected in zip(exported(images[:2]), network(images[:2]), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
