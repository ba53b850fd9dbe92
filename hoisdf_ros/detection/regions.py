"""The turned square in which a hand is looked for, and its way to and from pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import WRIST
from hoisdf_ros.datatypes import Array
from hoisdf_ros.detection.anchors import MIDDLE_POINT, WRIST_POINT

_PALM_SCALE, _PALM_SHIFT = 2.6, 0.5
"""From palm to hand: the square is larger, and reaches further towards the fingers."""

_HAND_SCALE, _HAND_SHIFT = 2.0, 0.1
"""The same from last frame's landmarks."""

_PALM_LANDMARKS = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Landmarks that stay together whatever the fingers do; `_HAND_SCALE` belongs to them."""

_INDEX, _MIDDLE, _RING = 5, 9, 13


@dataclass(frozen=True)
class Region:
    """A square of the image, turned so that the hand's fingers point up in it.

    Args:
        x, y: Centre, pixels.
        size: Side, pixels.
        angle: Clockwise turn of the square in the image, radians.
    """

    x: float
    y: float
    size: float
    angle: float

    @property
    def rotation(self) -> Array:
        """(2, 2) image-from-region directions."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        return np.array([[cos, -sin], [sin, cos]])

    def to_image(self, crop_size: int) -> Array:
        """(2, 3) image-from-crop, pixels, of a crop of so many pixels."""
        turn = self.rotation * (self.size / crop_size)
        middle = np.full(2, (crop_size - 1) / 2)
        return np.column_stack([turn, np.array([self.x, self.y]) - turn @ middle])

    def crop(self, image: NDArray[np.uint8], crop_size: int) -> NDArray[np.uint8]:
        """(crop_size, crop_size, 3) of the image (H, W, 3); black beyond its border."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        square = cv2.warpAffine(
            image, self.to_image(crop_size), (crop_size, crop_size), flags=flags
        )
        return np.asarray(square, np.uint8)


def region_of_palm(box: Array, points: Array) -> Region:
    """Where the hand around a palm is.

    Args:
        box: (4,) of the palm, pixels.
        points: (7, 2) of the palm, pixels.
    """
    angle = _upright(points[MIDDLE_POINT] - points[WRIST_POINT])
    size = box[2:] - box[:2]
    ahead = _PALM_SHIFT * size[1] * np.array([np.sin(angle), -np.cos(angle)])
    x, y = (box[:2] + box[2:]) / 2 + ahead
    return Region(float(x), float(y), float(size.max() * _PALM_SCALE), angle)


def region_of_landmarks(landmarks: Array) -> Region:
    """Where a hand whose landmarks are known will be next.

    Args:
        landmarks: (21, 2) pixels, our joint order.
    """
    knuckles = (landmarks[_INDEX] + landmarks[_RING]) / 4 + landmarks[_MIDDLE] / 2
    angle = _upright(knuckles - landmarks[WRIST])
    turn = Region(0.0, 0.0, 1.0, angle).rotation
    upright = landmarks[list(_PALM_LANDMARKS)] @ turn  # in the region's axes
    low, high = upright.min(axis=0), upright.max(axis=0)
    size = high - low
    centre = turn @ ((low + high) / 2 - np.array([0.0, _HAND_SHIFT * size[1]]))
    return Region(float(centre[0]), float(centre[1]), float(size.max() * _HAND_SCALE), angle)


def _upright(direction: Array) -> float:
    """The turn that makes "up" this direction, radians in [-pi, pi]."""
    return float(np.arctan2(direction[0], -direction[1]))
