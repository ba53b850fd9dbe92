"""Where the wrist is, in metres, before the network has looked.

From depth registered to the image: at the landmarks of the hand where these are known, else the
median over the middle of the hand's box, among the points near the front. Depth sees the skin
while joints lie inside, hence the offsets; the wrist is somewhere in the box, hence the wide
covariance across.
"""

import math

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import (
    LANDMARK_WRIST_AHEAD_M,
    MIDDLE_MCP,
    NUM_JOINTS,
    WRIST,
    RootSource,
)
from hoisdf_ros.datatypes import Array, Box, Camera, Frame, Root
from hoisdf_ros.errors import RootError
from hoisdf_ros.geometry.camera import backproject
from hoisdf_ros.preprocessing.boxes import check_in_image

SURFACE_TO_JOINT_M = 0.02
"""From the skin along the ray to the wrist joint: +20 mm over synthetic views of all kinds."""

HAND_THICKNESS_M = 0.12
"""Points farther than this behind the nearest ones belong to the background."""

NEAREST_SHARE = 5
"""Percentile of depth taken for the nearest point, so that flying pixels do not count."""

MIN_PIXELS = 30
"""Fewer pixels with depth than this say nothing."""

ALONG_STDDEV_M = 0.03
ACROSS_SHARE = 0.3
"""Standard deviation along the ray, and across it as a share of the box's size."""

LANDMARK_ACROSS_M = 0.03
"""Standard deviation across the ray of a wrist at a landmark."""

_FINGER_OFFSET_M = 0.012  # from the skin to a joint of a finger
_INLIER_M = 0.03
_AGREE_M = 0.04  # a wrist whose own depth differs more from what the others say is hidden
_MIN_LANDMARKS = 5
_SMALLEST, _LARGEST = 0.55, 1.8
"""Times as large as a hand: 0.6 to 1.5 are 99 % of rendered hands, 6 and more patterns on walls."""

_PATCH = 1  # pixels around a landmark whose median counts


def root_from_depth(frame: Frame, box: Box, config: EstimatorConfig) -> Root:
    """The wrist from the depth inside a hand's box.

    Args:
        frame: Image with registered depth.
        box: The hand, pixels.
        config: Depths that are believed.

    Returns:
        The point behind the box's middle, with a covariance that is honest about what a box
        can say.

    Raises:
        RootError: No depth, or too few valid pixels inside the box.
        ImageError: The box lies outside the image.
    """
    check_in_image(box, frame.camera)
    if frame.depth is None:
        raise RootError(
            "no depth with this image: the hand cannot be placed in metres; publish depth "
            "registered to the image (align_depth)"
        )
    values = _middle(frame.depth, box)
    if values.size < MIN_PIXELS:
        raise RootError(
            f"the middle of the hand's box {box.array().tolist()} covers {values.size} pixels of "
            f"the image, expected {MIN_PIXELS} or more: bring the hand nearer, or further into view"
        )
    valid = values[(values >= config.min_depth_m) & (values <= config.max_depth_m)]
    if len(valid) < MIN_PIXELS:
        raise RootError(
            f"{len(valid)} pixels of depth between {config.min_depth_m} and {config.max_depth_m} m "
            f"in the hand's box, expected {MIN_PIXELS} or more: check the depth camera's range"
        )
    nearest = float(np.percentile(valid, NEAREST_SHARE))
    surface = float(np.median(valid[valid <= nearest + HAND_THICKNESS_M]))
    center = np.array(box.center)
    ray = backproject(center, 1.0, frame.camera)
    skin = ray * surface
    position = skin + SURFACE_TO_JOINT_M * ray / np.linalg.norm(ray)
    across = ACROSS_SHARE * max(box.size) * surface / frame.camera.fx
    return Root(position, _covariance(ray, across), RootSource.DEPTH)


def root_from_landmarks(
    frame: Frame, landmarks: Array, world: Array, config: EstimatorConfig
) -> Root | None:
    """The wrist from the depth at a hand's landmarks.

    Every landmark says how far the wrist is, given how far behind the wrist it lies itself; those
    that agree are believed, and the wrist's own depth if it agrees with them. So a wrist that
    something hides is not taken for that thing.

    Args:
        frame: Image, with registered depth or without.
        landmarks: (21, 2) pixels.
        world: (21, 3) metres from the wrist, camera axes.
        config: Depths that are believed.

    Returns:
        The wrist; None where depth at the landmarks says too little.

    Raises:
        RootError: At that depth it would be far too large or too small for a hand: a pattern on
            a wall.
    """
    if frame.depth is None:
        return None
    depths = _at(frame.depth, landmarks)
    depths[(depths < config.min_depth_m) | (depths > config.max_depth_m)] = np.nan
    offsets = np.full(NUM_JOINTS, _FINGER_OFFSET_M)
    offsets[WRIST] = SURFACE_TO_JOINT_M
    said = depths + offsets - world[:, 2]
    if np.isfinite(said).sum() < _MIN_LANDMARKS:
        return None
    middle = float(np.nanmedian(said))
    agreeing = said[np.abs(said - middle) < _INLIER_M]
    if len(agreeing) < _MIN_LANDMARKS:
        return None
    own = float(said[WRIST])
    z = own if abs(own - middle) < _AGREE_M else float(agreeing.mean())
    ray = backproject(landmarks[WRIST], 1.0, frame.camera)
    size = _times_as_large(landmarks, world, z, frame.camera)
    if not _SMALLEST <= size <= _LARGEST:
        raise RootError(
            f"at its depth of {z:.2f} m the hand would be {size:.1f} times as large as a hand, "
            f"expected {_SMALLEST:g} to {_LARGEST:g}: it is none, or depth does not fit the image"
        )
    back = world[WRIST] - world[MIDDLE_MCP]
    position = ray * z + LANDMARK_WRIST_AHEAD_M * back / max(float(np.linalg.norm(back)), 1e-6)
    return Root(position, _covariance(ray, LANDMARK_ACROSS_M), RootSource.DEPTH)


def _times_as_large(landmarks: Array, world: Array, depth: float, camera: Camera) -> float:
    """How many times as large a hand is as its landmarks are in metres, seen at some depth."""
    pixels = landmarks - landmarks.mean(axis=0)
    metres = (world - world.mean(axis=0))[:, :2]
    seen = np.sqrt(np.square(pixels).sum() / max(float(np.square(metres).sum()), 1e-9))
    return float(seen * depth / camera.fx)


def root_given(position: Array, config: EstimatorConfig) -> Root:
    """A wrist that the caller gives; how sure the caller is, nobody said.

    Args:
        position: (3,) metres, camera frame.
        config: Depths that are believed, here as of a depth camera.

    Raises:
        RootError: It is not at such a depth in front of the camera.
    """
    wrist = np.asarray(position, dtype=float)
    near, far = config.min_depth_m, config.max_depth_m
    if not np.isfinite(wrist).all() or not near <= wrist[2] <= far:
        raise RootError(
            f"wrist x, y, z = {wrist.tolist()}: expected metres in the camera's optical frame "
            f"with z forward between {near} and {far}; millimetres must be divided by 1000"
        )
    return Root(wrist, np.full((3, 3), np.nan), RootSource.FIXED)


def object_center(box: Box, depth: float, camera: Camera) -> Array:
    """Back-projection of the box's centre pixel (network.md section 2).

    Args:
        box: The object, pixels.
        depth: Metres along z.
        camera: The camera of those pixels.

    Returns:
        (3,) metres, camera frame.
    """
    pixel = np.trunc(np.array(box.center))  # kept: the published centre is a whole pixel
    return backproject(pixel, depth, camera)


def _middle(depth: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
    """Depths in the middle half of the box, as far as it lies in the image."""
    (cx, cy), (width, height) = box.center, box.size
    rows = _pixels(cy - height / 4, cy + height / 4)
    columns = _pixels(cx - width / 4, cx + width / 4)
    return depth[rows, columns]


def _pixels(low: float, high: float) -> slice:
    """Whole pixels touched between two places; the same ones when the image is mirrored."""
    return slice(max(0, math.floor(low + 0.5)), max(0, math.ceil(high - 0.5) + 1))


def _at(depth: NDArray[np.float32], pixels: Array) -> Array:
    """(N,) median depth around each pixel; NaN beside the image and where nothing is known."""
    height, width = depth.shape
    steps = np.arange(-_PATCH, _PATCH + 1)
    around = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    x, y = np.moveaxis(np.rint(pixels).astype(int)[:, None] + around, -1, 0)  # (N, P) each
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    values = depth[y.clip(0, height - 1), x.clip(0, width - 1)].astype(float)
    values[~inside] = np.nan
    known = np.isfinite(values).any(axis=1)
    found = np.full(len(pixels), np.nan)
    found[known] = np.nanmedian(values[known], axis=1)
    return found


def _covariance(ray: Array, across: float) -> Array:
    direction = ray / np.linalg.norm(ray)
    along = np.outer(direction, direction)
    covariance: Array = ALONG_STDDEV_M**2 * along + across**2 * (np.eye(3) - along)
    return covariance
