"""Where the held object is in the image: by the network's mask, or by the pose it is followed at.

The network is given the box around the projected corners of the object's own box. A mask shows
less of it, the more a hand hides; a followed pose knows the rest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from hoisdf_ros.datatypes import Array, Box, Camera, Mesh
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import box_corners, transform
from hoisdf_ros.postprocessing.sight import Window

_Flags = NDArray[np.bool_]

MASK_THRESHOLD = 0.5
"""Probability from which on a pixel is the object's."""

GROWTH = 1.22
"""The projected corners' box, the one the network is trained on, over the visible pixels' box:
median of width and height over rendered validation pictures."""

_MAP_STRIDE = 2  # pixel u of a mask looks at pixel 2 u of the crop
_REACH = 0.06  # an object is no farther from the hand than this share of the mask's side
_SPECKLE_SHARE = 0.1  # pieces smaller than this share of the largest are noise
_SPECKLE = 0.0015  # pieces smaller than this share of the mask: six pixels of 64 x 64
_EIGHT = np.ones((3, 3), dtype=np.bool_)


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
    pixels = held_pixels(hand_mask > MASK_THRESHOLD, object_mask > MASK_THRESHOLD)
    if not pixels.any():
        return None
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    low = np.array([columns[0], rows[0]], dtype=float) - 0.5
    high = np.array([columns[-1], rows[-1]], dtype=float) + 0.5
    middle, half = (low + high) / 2, GROWTH * (high - low) / 2
    corners = _MAP_STRIDE * np.stack([middle - half, middle + half])
    (x0, y0), (x1, y1) = (corners - window.affine[:, 2]) @ np.linalg.inv(window.affine[:, :2]).T
    if window.mirrored:
        x0, x1 = width - 1 - x1, width - 1 - x0
    box = Box(float(x0), float(y0), float(x1), float(y1))
    return SeenObject(box, pixels, float(pixels.mean()))


def held_pixels(hand: _Flags, thing: _Flags) -> _Flags:
    """(H, W) bool, the pixels of ``thing`` in large pieces at the hand; see `object_in_mask`."""
    pieces, count = label(thing, structure=_EIGHT)
    if not count:
        return np.zeros_like(thing)
    area = np.bincount(pieces.ravel(), minlength=count + 1)
    area[0] = 0
    at_hand = np.ones(count + 1, dtype=np.bool_)
    if hand.any():
        steps = max(1, round(_REACH * len(hand)))
        around = binary_dilation(hand, structure=_EIGHT, iterations=steps)
        at_hand = np.bincount(pieces[around], minlength=count + 1) > 0
    area[~at_hand] = 0
    kept = area >= max(_SPECKLE * thing.size, _SPECKLE_SHARE * area.max())
    flags: _Flags = kept[pieces]
    return flags


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
