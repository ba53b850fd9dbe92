"""Frames in a file, for processes that replay them and shall not draw them themselves."""

from pathlib import Path
from typing import Any

import numpy as np

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.datatypes import Box, Camera, Detection, Frame
from hoisdf_ros.errors import DataError, NpzError
from hoisdf_ros.npz import read_npz


def write_frames(path: Path, frames: list[Frame]) -> None:
    """Keep frames of one camera with depth, for a process that shall not draw them itself."""
    camera = frames[0].camera
    boxes = [
        (number, found.label, *found.box.array().tolist())
        for number, frame in enumerate(frames)
        for found in frame.detections
    ]
    columns = list(zip(*boxes, strict=True))
    arrays: dict[str, Any] = {
        "images": np.stack([frame.image for frame in frames]),
        "depths": np.stack([frame.depth for frame in frames if frame.depth is not None]),
        "intrinsics": np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
        "box_frames": np.array(columns[0]),
        "box_labels": np.array(columns[1]),
        "boxes": np.array(columns[2:]).T,
    }
    write_atomically(path, lambda file: np.savez(file, **arrays))


def read_frames(path: Path) -> list[Frame]:
    """The frames of `write_frames`.

    Raises:
        DataError: The file is another one.
    """
    try:
        arrays = read_npz(path)
        owners, labels = arrays["box_frames"].tolist(), arrays["box_labels"].tolist()
        boxes = [Box(*corners) for corners in arrays["boxes"].tolist()]
        height, width = arrays["images"].shape[1:3]
        fx, fy, cx, cy = arrays["intrinsics"].tolist()
        camera = Camera(fx, fy, cx, cy, width, height)
        found = [Detection(label, box, 1.0) for label, box in zip(labels, boxes, strict=True)]
        return [
            Frame(
                image,
                camera,
                depth,
                tuple(d for d, owner in zip(found, owners, strict=True) if owner == number),
            )
            for number, (image, depth) in enumerate(
                zip(arrays["images"], arrays["depths"], strict=True)
            )
        ]
    except (NpzError, KeyError, ValueError) as error:
        raise DataError(f"{path}: {error}; expected a file of `write_frames`") from error
