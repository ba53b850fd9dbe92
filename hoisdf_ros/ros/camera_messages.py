"""CameraInfo as the pinhole camera of the image at hand."""

import numpy as np
from numpy.typing import ArrayLike
from sensor_msgs.msg import CameraInfo

from hoisdf_ros.datatypes import Camera
from hoisdf_ros.errors import CameraError

NEGLIGIBLE_SKEW = 1e-3
"""Pixels; what a calibration that fits a skew leaves of none at all."""


def camera_from_message(
    info: CameraInfo, width: int, height: int, rectified: bool = False
) -> Camera:
    """The intrinsics of an image of this size.

    ``info`` speaks of the calibrated sensor; the image may be a window of it (``info.roi``)
    and an integer binning of that.

    Args:
        info: Calibration.
        width: Width of the image, pixels.
        height: Height of the image, pixels.
        rectified: The image was undistorted with this calibration (image_proc): take P and do
            not mind the distortion of the raw image.

    Returns:
        The camera of the image, in the frame of ``info``.

    Raises:
        CameraError: Intrinsics are zero, not finite or skewed, the image is distorted, or its
            size does not follow from the calibration.
    """
    fx, fy, cx, cy = _rectified_intrinsics(info) if rectified else _raw_intrinsics(info)
    x0, y0, full_width, full_height = _window(info)
    binning = full_width // width if width > 0 else 0
    if binning < 1 or (binning * width, binning * height) != (full_width, full_height):
        raise CameraError(
            f"camera_info is for {full_width}x{full_height}, the image is {width}x{height}: "
            "expected the same size or an integer binning of it; subscribe to the camera_info "
            "of this very image"
        )
    # A pixel of the binned image covers `binning` pixels, whose middle is its centre.
    centre_x = (cx - x0 + 0.5) / binning - 0.5
    centre_y = (cy - y0 + 0.5) / binning - 0.5
    return Camera(
        fx / binning, fy / binning, centre_x, centre_y, width, height, info.header.frame_id
    )


def _raw_intrinsics(info: CameraInfo) -> tuple[float, float, float, float]:
    distortion = np.asarray(info.d, dtype=float)
    if distortion.size and not (distortion == 0).all():
        raise CameraError(
            f"camera_info has {info.distortion_model or 'unnamed'} distortion "
            f"{distortion.round(4).tolist()}: expected a rectified image; subscribe to the output "
            "of image_proc (image_rect) and set image_is_rectified to true"
        )
    return _checked("K", info.k)


def _rectified_intrinsics(info: CameraInfo) -> tuple[float, float, float, float]:
    return _checked("P", info.p)


def _checked(name: str, flat: ArrayLike) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy from a flat matrix of the message, in whole-sensor pixels."""
    matrix = np.asarray(flat, dtype=float).reshape(3, -1)
    fx, fy, cx, cy = values = matrix[[0, 1, 0, 1], [0, 1, 2, 2]].tolist()
    if not np.isfinite(values).all() or min(fx, fy) <= 0:
        raise CameraError(
            f"camera_info {name} has fx, fy, cx, cy = {values}: expected finite numbers and "
            "positive focal lengths; calibrate the camera, an uncalibrated driver sends zeros"
        )
    if not abs(matrix[0, 1]) <= NEGLIGIBLE_SKEW:
        raise CameraError(
            f"camera_info {name} has the skew {name}[1] = {matrix[0, 1]:g}: expected 0, pixel axes "
            "at right angles; calibrate without skew, or rectify the image (image_proc)"
        )
    return fx, fy, cx, cy


def _window(info: CameraInfo) -> tuple[int, int, int, int]:
    """Offset and size of the part of the sensor the image shows; a roi of zeros is all of it."""
    if info.roi.width and info.roi.height:
        roi = info.roi
        return int(roi.x_offset), int(roi.y_offset), int(roi.width), int(roi.height)
    return 0, 0, int(info.width), int(info.height)
