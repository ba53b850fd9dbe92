"""Where the held object is in the image: by the network's mask, or by the pose it is followed at.

The network is given the box around the projected corners of the object's own box. A mask shows
less of it, the more a hand hides; a followed pose knows the rest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array, Box, Camera, Mesh
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import box_corners, transform
from hoisdf_ros.postprocessing.mask_pieces import MASK_THRESHOLD, box_around, pieces_at
from hoisdf_ros.postprocessing.sight import Window

_Flags = NDArray[np.bool_]

GROWTH = 1.22
"""The projected corners' box, the one the network is trained on, over the visible pixels' box:
median of width and height over rendered validation pictures."""


@dataclass(frozen=True, eq=False)
class SeenObject:
    """What a mask shows of the held object.

    Args:
        box: Around its visible pixels, grown by `GROWTH`; pixels of the image, unclipped.
        pixels: (S/2, S/2) bool, its pixels of the mask, speckles left out.
        share: Its area as a share of the mask's.
    """

    box: Box
    pixels: _Flags
    share: float

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box, pixels of the image."""
        return self.box.center


def object_in_mask(
    hand_mask: Array, object_mask: Array, window: Window, width: int
) -> SeenObject | None:
    """The object that the masks show at the hand.

    Fingers part an object's pixels, so every large piece that touches the hand, or nearly does,
    counts; speckles do not. Where no hand is seen, the largest piece counts.

    Args:
        hand_mask, object_mask: (S/2, S/2) the network's probabilities.
        window: How the network's crop lies in the image.
        width: Of the image, pixels.

    Returns:
        None when no piece is large enough, or none is at the hand.
    """
    pixels = pieces_at(hand_mask > MASK_THRESHOLD, object_mask > MASK_THRESHOLD)
    box = box_around(pixels, window, width, GROWTH)
    return None if box is None else SeenObject(box, pixels, float(pixels.mean()))


def box_of_object(mesh: Mesh, rotation: Array, translation: Array, camera: Camera) -> Box | None:
    """The box of an object whose pose is known, as the network is trained with.

    Args:
        mesh: In its own frame, metres.
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) metres, camera frame.
        camera: Of the image.

    Returns:
        Pixels, not clipped to the image; None when a corner is not in front of the camera.
    """
    corners = project(transform(box_corners(mesh.vertices), rotation, translation), camera)
    if not np.isfinite(corners).all():
        return None
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Box(float(x0), float(y0), float(x1), float(y1)) if x1 > x0 and y1 > y0 else None
