"""Hand and whatever it holds, before the network has said which is which.

What the hand holds touches it, so in the depth it goes over into the hand without a step. So do
the forearm, which is cut off at the wrist, and a table that the hand lies on, hence the reach.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Array, Box, Camera, Frame
from hoisdf_ros.geometry.camera import points_from_depth
from hoisdf_ros.preprocessing.boxes import mirrored, scaled
from hoisdf_ros.preprocessing.crop import mirrored_camera

REACH_M = 0.2
"""Things farther from the middle of the hand are not held."""

WIDER = 1.3
"""Without depth: this much larger than the hand is what it may hold."""

_AROUND = 2.5  # the part of the image that is searched, as a multiple of the hand's box
_GRID = 96  # cells across that part
_STEP_M = 0.02  # between neighbouring cells on one surface
_MIN_CELLS = 20


@dataclass(frozen=True, eq=False)
class Grip:
    """Where a hand is, as far as it is known before the network looks.

    Args:
        box: Around the hand, pixels.
        side: The person's side.
        wrist: (3,) metres, camera frame.
        fingers: (3,) from the wrist towards the middle knuckle, any length; None when unknown.
    """

    box: Box
    side: Side
    wrist: Array
    fingers: Array | None


def union_box(frame: Frame, grip: Grip) -> Box:
    """A box that shows the hand and what it may hold.

    Args:
        frame: The image; without depth the hand's box is only widened.
        grip: The hand.

    Returns:
        Pixels; holds all of the hand's box.
    """
    if frame.depth is None:
        return scaled(grip.box, WIDER)
    if grip.side is Side.LEFT:  # in the mirror, so that it gets the mirror image of a right one's
        flip = np.array([-1.0, 1.0, 1.0])
        seen = replace(
            grip,
            box=mirrored(grip.box, frame.camera.width),
            wrist=grip.wrist * flip,
            fingers=None if grip.fingers is None else grip.fingers * flip,
        )
        box = _union(frame.depth[:, ::-1], mirrored_camera(frame.camera), seen)
        return mirrored(box, frame.camera.width)
    return _union(frame.depth, frame.camera, grip)


def _union(depth: NDArray[np.float32], camera: Camera, grip: Grip) -> Box:
    window = scaled(grip.box, _AROUND)
    step = max(1, int(max(window.size) / _GRID))
    x0, y0 = max(0, int(window.x0)), max(0, int(window.y0))
    x1, y1 = max(0, int(window.x1)), max(0, int(window.y1))
    part = depth[y0:y1:step, x0:x1:step]
    if min(part.shape) < 2:
        return grip.box
    height, width = part.shape
    middle = (camera.cx - x0) / step, (camera.cy - y0) / step
    cells = Camera(camera.fx / step, camera.fy / step, *middle, width, height)
    rows, columns = np.nonzero(_held(points_from_depth(part, cells), grip, camera))
    if len(rows) < _MIN_CELLS:
        return grip.box
    half = step / 2
    return Box(
        min(grip.box.x0, float(columns.min() * step + x0 - half)),
        min(grip.box.y0, float(rows.min() * step + y0 - half)),
        max(grip.box.x1, float(columns.max() * step + x0 + half)),
        max(grip.box.y1, float(rows.max() * step + y0 + half)),
    )


def _held(points: Array, grip: Grip, camera: Camera) -> NDArray[np.bool_]:
    """Cells (R, C) of the largest surface that passes through the middle of the hand's box."""
    cx, cy = grip.box.center
    ray = np.array([(cx - camera.cx) / camera.fx, (cy - camera.cy) / camera.fy, 1.0])
    z = points[..., 2]
    with np.errstate(invalid="ignore"):
        near = np.linalg.norm(points - ray * grip.wrist[2], axis=-1) < REACH_M
        if grip.fingers is not None:
            near &= (points - grip.wrist) @ grip.fingers > 0
        near[:, 1:] &= ~(np.abs(np.diff(z, axis=1)) > _STEP_M)
        near[1:] &= ~(np.abs(np.diff(z, axis=0)) > _STEP_M)
        pixels = points[..., :2] / z[..., None] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        middle = (np.abs(pixels - (cx, cy)) < np.array(grip.box.size) / 4).all(axis=-1)
    _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    touched = labels[middle & near]
    return labels == np.bincount(touched).argmax() if len(touched) else np.zeros_like(near)
