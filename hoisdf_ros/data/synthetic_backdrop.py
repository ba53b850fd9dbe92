"""What is behind the hand: a wall and a table, each of any texture, with depth."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.data.render import Background
from hoisdf_ros.data.synthetic_pictures import SIZE, Picture, colour
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

_TABLE_SHARE, _PLAIN_SHARE, _DEEP_SHARE = 0.65, 0.25, 0.2
_TABLE_END_M = 2.5


def draw_backdrop(
    pictures: Sequence[Picture], camera: Camera, cloud: Array, rng: np.random.Generator
) -> Background:
    """A wall behind the points, and often a table below them.

    Args:
        pictures: To choose textures from.
        camera: The camera.
        cloud: (N, 3) points of hand and object, metres, that wall and table must not hide.
        rng: Where the chance comes from.
    """
    image = _wall(pictures, camera, rng)
    depth = _wall_depth(camera, float(cloud[:, 2].max()), rng)
    if rng.uniform() < _TABLE_SHARE:
        _lay_table(image, depth, pictures, camera, cloud, rng)
    return Background(image, depth)


def _rays(camera: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rays with z = 1 through the pixels: their x (W,) and y (H, 1)."""
    x = (np.arange(camera.width, dtype=np.float32) - np.float32(camera.cx)) / camera.fx
    y = (np.arange(camera.height, dtype=np.float32) - np.float32(camera.cy)) / camera.fy
    return x.astype(np.float32), y.astype(np.float32)[:, None]


def _wall(pictures: Sequence[Picture], camera: Camera, rng: np.random.Generator) -> Picture:
    """A colour that fades into another, and over it, mostly, something with structure."""
    size = (camera.width, camera.height)
    corners = np.array([[colour(rng, 0.15) for _ in range(2)] for _ in range(2)], np.float32)
    fade = cv2.resize(corners, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    if rng.uniform() < _PLAIN_SHARE:
        return fade
    picture = pictures[int(rng.integers(len(pictures)))]
    turn = matrix_from_rotation_vector(np.array([0.0, 0.0, rng.normal(scale=0.3)]))[:2, :2]
    scale = SIZE / camera.width * np.exp(rng.uniform(-0.7, 0.7))
    matrix = np.hstack([scale * turn, rng.uniform(0, SIZE, size=(2, 1))])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    spread = cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
    share = float(rng.uniform(0.4, 1.0))
    return np.asarray(cv2.addWeighted(spread, share, fade, 1 - share, 0), dtype=np.uint8)


def _wall_depth(camera: Camera, behind: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) metres to a wall that may be askew, or NaN all over: too far away to be seen."""
    if rng.uniform() < _DEEP_SHARE:
        return np.full((camera.height, camera.width), np.nan, np.float32)
    x, y = _rays(camera)
    distance, askew = behind + 0.1 + rng.exponential(0.8), rng.normal(scale=0.25, size=2)
    lean = 1.0 + np.float32(askew[0]) * x + np.float32(askew[1]) * y
    depth = np.float32(distance) / np.maximum(lean, np.float32(0.3))
    return np.maximum(depth, np.float32(behind + 0.02)).astype(np.float32)


def _lay_table(
    image: Picture,
    depth: NDArray[np.float32],
    pictures: Sequence[Picture],
    camera: Camera,
    cloud: Array,
    rng: np.random.Generator,
) -> None:
    """Draw a table over the wall, in perspective; it lies below all the points."""
    tilt = rng.uniform(np.radians(10), np.radians(80))
    frame = matrix_from_rotation_vector(np.array([0.0, 0.0, rng.normal(scale=0.12)]))
    frame = frame @ matrix_from_rotation_vector(np.array([tilt, 0.0, 0.0]))
    right, normal, forward = frame[:, 0], frame[:, 1], frame[:, 2]  # normal points downwards
    height = max(float((cloud @ normal).max()), 0.05) + rng.exponential(0.08)
    x, y = _rays(camera)
    down = np.float32(normal[0]) * x + (np.float32(normal[1]) * y + np.float32(normal[2]))
    far = np.float32(height / _TABLE_END_M)
    table = np.float32(height) / np.maximum(down, far)
    seen = ((down > far) & ~(table >= depth)).astype(np.uint8)
    texels = SIZE / rng.uniform(0.3, 1.5)
    plane = np.stack([height * texels * right, height * texels * forward, normal])
    plane[:2] += SIZE / 2 * normal
    homography = plane @ np.linalg.inv(camera.matrix)
    picture = pictures[int(rng.integers(len(pictures)))]
    size, flags = (camera.width, camera.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cloth = cv2.warpPerspective(
        picture, homography, size, flags=flags, borderMode=cv2.BORDER_REFLECT
    )
    cv2.copyTo(cloth, seen, image)
    cv2.copyTo(table, seen, depth)
