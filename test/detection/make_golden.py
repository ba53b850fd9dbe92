"""Writes golden.npz: what TensorFlow Lite's own runtime makes of hand.png.

Run by hand, in a virtual environment of its own, when the weights or hand.png change::

    pip install ai-edge-litert==2.3.0 numpy opencv-python
    python make_golden.py hand_landmarker.task
"""

import importlib
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
BORDER = 16
"""The palm network looks at hand.png without a border of so many pixels."""


def outputs(model: bytes, image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """All outputs of a network, in the file's order."""
    runtime: Any = importlib.import_module("ai_edge_litert.interpreter")
    interpreter = runtime.Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    content = (image / 255).astype(np.float32)[None]
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], content)
    interpreter.invoke()
    details = interpreter.get_output_details()
    return [interpreter.get_tensor(one["index"])[0] for one in details]


def main() -> None:
    """Run both networks."""
    picture = cv2.imread(str(HERE / "hand.png"))
    assert picture is not None
    image = picture[:, :, ::-1].astype(np.uint8)
    with zipfile.ZipFile(sys.argv[1]) as task:
        palm = outputs(task.read("hand_detector.tflite"), image[BORDER:-BORDER, BORDER:-BORDER])
        hand = outputs(task.read("hand_landmarks_detector.tflite"), image)
    values, logits = palm
    pixels, presence, right, metres = hand
    np.savez_compressed(
        HERE / "golden.npz",
        values=values[::16],
        logits=logits[:, 0],
        pixels=pixels.reshape(21, 3),
        metres=metres.reshape(21, 3),
        presence=presence,
        right=right,
    )


if __name__ == "__main__":
    main()
