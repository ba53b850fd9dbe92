"""Where to look for hands: the whole image, and overlapping squares in it for small hands.

The palm network sees whatever it is shown at 192x192 pixels; a hand that fills less than about a
seventh of that is lost.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array, Box

_OVERLAP = 0.5


def whole(height: int, width: int) -> Box:
    """The box around an image's pixels."""
    return Box(-0.5, -0.5, width - 0.5, height - 0.5)


def tiles(height: int, width: int, shares: Sequence[float]) -> tuple[Box, ...]:
    """Squares that cover an image, neighbours overlapping by half or more.

    Args:
        height, width: Of the image, pixels.
        shares: Side of the squares of each layer, as shares of the image's shorter side.

    Returns:
        Boxes on whole pixels, layer by layer, row by row; none for a share that is the whole
        of a square image.
    """
    found = []
    for share in shares:
        side = max(1, round(share * min(height, width)))
        if side < max(height, width):
            starts = [(y, x) for y in _starts(height, side) for x in _starts(width, side)]
            found += [Box(x - 0.5, y - 0.5, x + side - 0.5, y + side - 0.5) for y, x in starts]
    return tuple(found)


def _starts(length: int, side: int) -> list[int]:
    steps = int(np.ceil((length - side) / (side * _OVERLAP)))
    return [round(index * (length - side) / max(steps, 1)) for index in range(steps + 1)]


def letterbox(image: NDArray[np.uint8], window: Box, size: int) -> tuple[NDArray[np.uint8], Array]:
    """A part of an image, shrunk or enlarged into the middle of a black square.

    Args:
        image: (H, W, 3).
        window: Part of the image, pixels; what lies outside the image is left out.
        size: Side of the square, pixels.

    Returns:
        The square (size, size, 3), and (2, 3) image-from-square, pixels.
    """
    height, width = image.shape[:2]
    x0, y0 = max(0, round(window.x0 + 0.5)), max(0, round(window.y0 + 0.5))
    x1 = min(width, max(x0 + 1, round(window.x1 + 0.5)))
    y1 = min(height, max(y0 + 1, round(window.y1 + 0.5)))
    part = image[y0:y1, x0:x1]
    square = np.zeros((size, size, 3), np.uint8)
    if part.size == 0:
        return square, np.array([[1.0, 0.0, x0], [0.0, 1.0, y0]])
    longer = max(part.shape[:2])
    new_height, new_width = (max(1, round(side * size / longer)) for side in part.shape[:2])
    shrinks = longer > size
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    top, left = (size - new_height) // 2, (size - new_width) // 2
    square[top : top + new_height, left : left + new_width] = cv2.resize(
        part, (new_width, new_height), interpolation=method
    )
    scale_x, scale_y = part.shape[1] / new_width, part.shape[0] / new_height
    # Pixel centres are whole numbers, edges lie half a pixel beside them.
    return square, np.array(
        [
            [scale_x, 0.0, x0 - 0.5 + scale_x * (0.5 - left)],
            [0.0, scale_y, y0 - 0.5 + scale_y * (0.5 - top)],
        ]
    )
