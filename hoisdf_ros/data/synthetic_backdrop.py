"""What is behind the hand: a wall and a table, each of any texture, with depth."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.data.render import Background
from hoisdf_ros.data.synthetic_pictures import SIZE, Picture, colour
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

_TABLE_SHARE, _PLAIN_SHARE, _DEEP_SHARE = 0.65, 0.25, 0.2
_TABLE_END_M = 2.5


@dataclass(frozen=True, eq=False)
class Table:
    """A plane below the camera.

    Args:
        frame: (3, 3) camera-from-table: x to the right, y down into it, z away along it.
        height: Of the camera above it, metres.
    """

    frame: Array
    height: float


def draw_backdrop(
    pictures: Sequence[Picture],
    camera: Camera,
    cloud: Array,
    rng: np.random.Generator,
    table: Table | None = None,
) -> Background:
    """A wall behind the points, and often a table below them.

    Args:
        pictures: To choose textures from.
        camera: The camera.
        cloud: (N, 3) points of hand and object, metres, that wall and table must not hide.
        rng: Where the chance comes from.
        table: The table if there must be this one.
    """
    image = _wall(pictures, camera, rng)
    depth = _wall_depth(camera, float(cloud[:, 2].max()), rng)
    if table is None and rng.uniform() < _TABLE_SHARE:
        frame = table_frame(float(rng.uniform(np.radians(10), np.radians(80))), rng)
        height = max(float((cloud @ frame[:, 1]).max()), 0.05) + rng.exponential(0.08)
        table = Table(frame, height)
    if table is not None:
        _lay_table(image, depth, table, pictures, camera, rng)
    return Background(image, depth)


def table_frame(tilt: float, rng: np.random.Generator) -> Array:
    """(3, 3) camera-from-table of a camera that looks down by so many radians."""
    roll = matrix_from_rotation_vector(np.array([0.0, 0.0, rng.normal(scale=0.12)]))
    frame: Array = roll @ matrix_from_rotation_vector(np.array([tilt, 0.0, 0.0]))
    return frame


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
    table: Table,
    pictures: Sequence[Picture],
    camera: Camera,
    rng: np.random.Generator,
) -> None:
    """Draw a table over the wall, in perspective."""
    right, normal, forward = table.frame.T
    height = table.height
    x, y = _rays(camera)
    down = np.float32(normal[0]) * x + (np.float32(normal[1]) * y + np.float32(normal[2]))
    far = np.float32(height / _TABLE_END_M)
    ahead = np.float32(height) / np.maximum(down, far)
    seen = ((down > far) & ~(ahead >= depth)).astype(np.uint8)
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
    cv2.copyTo(ahead, seen, depth)
