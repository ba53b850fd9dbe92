"""How far a hand is, by how large it looks: its palm, and its outline. One picture needs no more.

Fingers bend, and a network that is not sure bends them too much: its joints then lie closer
together than they are, and the hand seems farther. A palm keeps its shape, and an outline shows
where the skin ends however the joints below it are placed. None of them is right every time, so
that all are heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import FINGER_BASES, WRIST, RootSource
from hoisdf_ros.datatypes import Array, Camera, Root
from hoisdf_ros.errors import RootError
from hoisdf_ros.geometry.camera import backproject
from hoisdf_ros.postprocessing.sight import MAP_STRIDE

PALM = 1e-3 * np.array([[-50.8, -15.7], [-6.7, 31.3], [10.8, 12.9], [20.3, -4.6], [26.5, -23.9]])
"""(5, 2) metres, `FINGER_BASES` of the packaged hand's mean shape in the plane that fits them."""

PALM_STDDEV = 0.15
"""Standard deviation of a distance by the palm, as a share of it: people's hands, and landmarks
that slip."""

JOINTS_STDDEV, OUTLINE_STDDEV, LEARNT_STDDEV = 0.15, 0.12, 0.11
"""The same by the joints of the posed hand, by its outline, and by `network.hand_size`; of 1950
looks at training and validation videos."""

SAME_SIZE = 0.15
"""Distances agree when their logarithms differ by less."""

_ALIKE = 0.2  # of a logarithm: what is farther from the others counts less than half
_ROUNDS = 5
_LEAST_STDDEV = 0.09  # however well they agree: hands are of several sizes
_NO_HAND = 2.5  # times that the largest distance is the smallest: of a palm without fingers
_ACROSS_STDDEV_M = 0.02  # of a landmark
_NEAREST_M = 0.05
_LEAST_PIXELS = 1.0  # a palm that looks smaller says nothing


@dataclass(frozen=True)
class Distance:
    """How far a hand is.

    Args:
        depth: Metres; NaN when unknown.
        stddev: Standard deviation as a share of it.
        note: What speaks against it; empty when nothing does.
    """

    depth: float
    stddev: float
    note: str = ""


def agreed(landmarks: Sequence[Distance], image: Sequence[Distance], *, new: bool) -> Distance:
    """The distance that several ways to tell it agree on: their mean, robust to some wrong ones.

    Landmarks that have slipped mislead everything that is told by them in the same way, and the
    image's features otherwise, so only both together confirm a distance.

    Args:
        landmarks: By the palm, by the joints; one or more.
        image: By the outline, and what was learnt of sizes, as far as they are known.
        new: The hand was not there before.

    Raises:
        RootError: They differ so much that what is new is no hand.
    """
    said = [*landmarks, *image]
    words = ", ".join(f"{distance.depth:.2f}" for distance in said)
    logs = np.log([distance.depth for distance in said])
    if new and np.exp(np.ptp(logs)) > _NO_HAND:
        raise RootError(
            f"by its palm, joints and outline the hand is {words} m away: expected distances that "
            f"differ by less than {_NO_HAND:g} times; it is none, or mostly hidden"
        )
    weights = np.array([distance.stddev for distance in said]) ** -2.0
    middle = float(np.median(logs))
    for _ in range(_ROUNDS):
        pulls = weights / (1 + ((logs - middle) / _ALIKE) ** 2)  # as of a Cauchy distribution
        middle = float(pulls @ logs / pulls.sum())
    apart = float(np.sqrt(weights @ (logs - middle) ** 2 / weights.sum()))
    confirmed = bool(image) and apart < SAME_SIZE
    note = "" if confirmed else f"wrist not refined: palm, joints and outline put it at {words} m"
    return Distance(float(np.exp(middle)), float(np.hypot(_LEAST_STDDEV, apart)), note)


def depth_of_palm(pixels: Array, camera: Camera) -> float:
    """Depth of the palm's middle.

    A flat thing seen from afar is a linear map of itself (scaled orthography). Turning it makes
    it shorter in one direction only, so the map's larger singular value is its scale.

    Args:
        pixels: (21, 2) landmarks.
        camera: Of the image.

    Returns:
        Metres.

    Raises:
        RootError: The landmarks lie on one point.
    """
    slopes = pixels[list(FINGER_BASES)] / np.array([camera.fx, camera.fy])
    linear, *_ = np.linalg.lstsq(PALM, slopes - slopes.mean(axis=0), rcond=None)
    scale = float(np.linalg.svd(linear, compute_uv=False)[0])
    if not scale * np.ptp(PALM, axis=0).max() * camera.fx > _LEAST_PIXELS:
        raise RootError(
            "the palm's landmarks lie on one point: expected a hand of some pixels; bring it nearer"
        )
    return 1 / scale


def root_from_palm(pixels: Array, world: Array, camera: Camera) -> Root:
    """The wrist, by how large the palm looks.

    Args:
        pixels: (21, 2) landmarks.
        world: (21, 3) metres from the wrist, camera axes, of which the turn of the palm is taken.
        camera: Of the image.

    Raises:
        RootError: The landmarks lie on one point.
    """
    depth = depth_of_palm(pixels, camera) - float(world[list(FINGER_BASES), 2].mean())
    if not depth > _NEAREST_M:
        raise RootError(
            f"by the size of its palm the wrist would be at {depth:.2f} m, expected {_NEAREST_M:g} "
            "or more; take the hand farther from the camera"
        )
    ray = backproject(pixels[WRIST], 1.0, camera)
    along, unit = np.outer(ray, ray), np.eye(3) - np.outer(ray, ray) / (ray @ ray)
    covariance = PALM_STDDEV**2 * depth**2 * along + _ACROSS_STDDEV_M**2 * unit
    return Root(depth * ray, covariance, RootSource.DETECTION)


def times_as_large(
    vertices: Array,
    faces: NDArray[np.integer],
    intrinsics: Array,
    hand_mask: NDArray[np.bool_],
    object_mask: NDArray[np.bool_],
) -> float:
    """How many times as large a posed hand looks as the hand in its mask: the root of the areas.

    Where the object is seen neither counts.

    Args:
        vertices: (V, 3) metres, camera frame of the crop.
        faces: (F, 3) triangles.
        intrinsics: (3, 3) K of the crop.
        hand_mask, object_mask: (S/2, S/2) bool.

    Returns:
        NaN where nothing is to be compared.
    """
    points = vertices @ intrinsics.T
    if not points[:, 2].min() > 0:
        return float("nan")
    outline = np.zeros(hand_mask.shape, np.uint8)
    pixels = np.rint(points[:, :2] / points[:, 2:] / MAP_STRIDE).astype(np.int32)
    for triangle in pixels[faces]:
        cv2.fillConvexPoly(outline, triangle, 1)
    posed, seen = int((outline.astype(bool) & ~object_mask).sum()), int(hand_mask.sum())
    return float(np.sqrt(posed / seen)) if posed and seen else float("nan")
