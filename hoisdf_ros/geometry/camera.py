"""Between points in the camera frame and pixels of a pinhole camera."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hoisdf_ros.datatypes import Array, Camera


def project(points: ArrayLike, camera: Camera) -> Array:
    """Pixels at which points in front of the camera are seen.

    Args:
        points: (..., 3) metres, camera frame.
        camera: The camera.

    Returns:
        (..., 2) pixels x, y; may lie outside the image; NaN for points that are not in front
        of the camera (z <= 0).
    """
    array: Array = np.asarray(points, dtype=float)
    z = np.where(array[..., 2:] > 0, array[..., 2:], np.nan)
    focal, principal = np.array([camera.fx, camera.fy]), np.array([camera.cx, camera.cy])
    pixels: Array = array[..., :2] / z * focal + principal
    return pixels


def backproject(uv: ArrayLike, depth: ArrayLike, camera: Camera) -> Array:
    """Points at known depth behind pixels.

    Args:
        uv: (..., 2) pixels x, y.
        depth: (...) metres along z, broadcast against the pixels.
        camera: The camera.

    Returns:
        (..., 3) metres, camera frame; NaN where the depth is NaN.
    """
    pixels, z = np.asarray(uv, dtype=float), np.asarray(depth, dtype=float)
    x = (pixels[..., 0] - camera.cx) / camera.fx * z
    y = (pixels[..., 1] - camera.cy) / camera.fy * z
    return np.stack(np.broadcast_arrays(x, y, z), axis=-1)


def points_from_depth(depth: NDArray[np.floating], camera: Camera) -> Array:
    """The point seen by every pixel of a depth map.

    Args:
        depth: (H, W) metres along z, NaN where unknown.
        camera: The camera of the depth map.

    Returns:
        (H, W, 3) metres, camera frame; NaN where the depth is.
    """
    height, width = depth.shape
    uv = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)
    return backproject(uv, depth, camera)
