"""One frame of a video with the truth about every hand in it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Array, Box, Frame, ManoParameters

_SUBPIXEL_BITS = 4


@dataclass(frozen=True, eq=False)
class TrueObject:
    """A held object as it is.

    Args:
        object_id: Its name.
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) origin of the mesh frame, metres, camera frame.
        box: Around the projected corners of the mesh's own box, pixels; may reach beyond the
            image.
    """

    object_id: str
    rotation: Array
    translation: Array
    box: Box


@dataclass(frozen=True, eq=False)
class TrueHand:
    """A hand as it is.

    Args:
        number: Which hand of the sequence; it keeps it also when it leaves and comes back.
        side: The person's side.
        joints: (21, 3) metres, camera frame, our order.
        mano: Parameters of the stand-in hand of this side, on a flat mean.
        box: Around the joints, pixels, no margin; may reach beyond the image.
        visible: Share of its outline's area that is seen: neither hidden by anything nor beyond
            the image; 0 to 1. What a hand hides of itself does not count.
        held: The object in it, or None.
    """

    number: int
    side: Side
    joints: Array
    mano: ManoParameters
    box: Box
    visible: float
    held: TrueObject | None


@dataclass(frozen=True, eq=False)
class TrueFrame:
    """A frame of a sequence and what is in it.

    Args:
        sequence: Key of the sequence.
        number: Which of its frames.
        frame: Picture, depth and stamp, as an estimator takes it, without detections.
        hands: Those whose box reaches into the image, also when something hides all of them.
    """

    sequence: str
    number: int
    frame: Frame
    hands: tuple[TrueHand, ...]


def outline_area(pixels: Array, faces: NDArray[np.integer]) -> int:
    """Pixels that a mesh covers when nothing hides it, also those beyond the image.

    Args:
        pixels: (V, 2) its projected vertices.
        faces: (F, 3) its triangles.
    """
    low = np.floor(pixels.min(axis=0))
    width, height = (np.ceil(pixels.max(axis=0)) - low + 1).astype(int)
    canvas = np.zeros((height, width), np.uint8)
    # outlines are drawn too and would widen the shape by half a pixel
    corners = np.round((pixels - low) * 2**_SUBPIXEL_BITS).astype(np.int32)
    for triangle in corners[faces]:
        cv2.fillConvexPoly(canvas, triangle, 1, cv2.LINE_8, _SUBPIXEL_BITS)
    return int(cv2.countNonZero(canvas))


def reaches_into(box: Box, width: int, height: int) -> bool:
    """Whether a part of the box, pixels, lies within an image."""
    return box.x1 > -0.5 and box.y1 > -0.5 and box.x0 < width - 0.5 and box.y0 < height - 0.5
