"""The square crop that the network sees, its intrinsics and its inverse (network.md section 2)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.datatypes import Array, Box, Camera
from hoisdf_ros.errors import ImageError
from hoisdf_ros.preprocessing.boxes import mirrored

MARGIN = 1.5
"""Both boxes are scaled by this before their union is cropped."""


@dataclass(frozen=True)
class Crop:
    """A square window of the image, resampled.

    Args:
        size: Side of the crop, pixels.
        affine: (2, 3) crop pixels from image pixels, of the mirrored image if it is mirrored.
        intrinsics: (3, 3) K of the crop.
        hand_box, object_box: Crop pixels, with the margins that the network expects.
        mirrored: The image is mirrored left to right first.
    """

    size: int
    affine: Array
    intrinsics: Array
    hand_box: Box
    object_box: Box
    mirrored: bool

    def apply(
        self, image: NDArray[np.uint8], interpolation: int = cv2.INTER_LINEAR
    ) -> NDArray[np.uint8]:
        """Resample the image, black outside it.

        Args:
            image: (H, W, 3) uint8 RGB as it came, not mirrored.
            interpolation: Bilinear; differs: the published code takes the nearest pixel, which
                ``cv2.INTER_NEAREST`` reproduces.

        Returns:
            (size, size, 3) uint8 RGB.
        """
        if self.mirrored:
            # not folded into the affine map: resampling rounds, and then a mirrored frame would
            # not give exactly the mirrored result
            image = np.ascontiguousarray(image[:, ::-1])
        side = (self.size, self.size)
        patch = cv2.warpAffine(image, self.affine, side, flags=interpolation)
        return np.asarray(patch, dtype=np.uint8)


def make_crop(hand: Box, held: Box, camera: Camera, config: NetworkConfig, *, mirror: bool) -> Crop:
    """The crop around a hand and an object.

    Args:
        hand, held: Boxes in the image, pixels.
        camera: Of the image.
        config: Size and margins.
        mirror: A left hand: crop the mirrored image, where it is a right one.

    Raises:
        ImageError: The boxes lie outside the image.
    """
    if mirror:
        hand, held = mirrored(hand, camera.width), mirrored(held, camera.width)
        camera = mirrored_camera(camera)
    window = _union(_scaled(hand, MARGIN), _scaled(held, MARGIN), camera)
    center = np.trunc(np.array(window.center))  # kept: whole pixels, as published
    scale = config.image_size / max(window.size)
    shift = config.image_size / 2 - scale * center
    affine = np.hstack([np.eye(2) * scale, shift[:, None]])
    return Crop(
        size=config.image_size,
        affine=affine,
        intrinsics=np.vstack([affine, [0.0, 0.0, 1.0]]) @ camera.matrix,
        hand_box=_mapped(_scaled(hand, config.hand_box_margin, truncate=False), affine),
        object_box=_mapped(held, affine),
        mirrored=mirror,
    )


def mirrored_camera(camera: Camera) -> Camera:
    """The camera of the picture mirrored left to right."""
    return Camera(
        camera.fx,
        camera.fy,
        camera.width - 1 - camera.cx,
        camera.cy,
        camera.width,
        camera.height,
        camera.frame_id,
    )


def _scaled(box: Box, factor: float, *, truncate: bool = True) -> Box:
    (cx, cy), (width, height) = box.center, box.size
    if truncate:  # kept: the published crop truncates the centre
        cx, cy = float(np.trunc(cx)), float(np.trunc(cy))
    half_width, half_height = factor * width / 2, factor * height / 2
    return Box(cx - half_width, cy - half_height, cx + half_width, cy + half_height)


def _union(a: Box, b: Box, camera: Camera) -> Box:
    corners = (
        max(0.0, min(a.x0, b.x0)),
        max(0.0, min(a.y0, b.y0)),
        min(float(camera.width), max(a.x1, b.x1)),
        min(float(camera.height), max(a.y1, b.y1)),
    )
    if corners[2] <= corners[0] or corners[3] <= corners[1]:
        raise ImageError(
            f"hand box {a} and object box {b} lie outside the {camera.width}x{camera.height} "
            "image; detections must be in pixels of this image"
        )
    return Box(*corners)


def _mapped(box: Box, affine: Array) -> Box:
    corners = np.array([[box.x0, box.y0], [box.x1, box.y1]]) @ affine[:, :2].T + affine[:, 2]
    return Box(*corners.ravel().tolist())
