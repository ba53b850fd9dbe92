"""A hand that is followed: how it was last seen, and where it will be."""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import WRIST, RootSource, Side
from hoisdf_ros.datatypes import Array, Box, Camera, Root
from hoisdf_ros.detection.regions import Region, region_of_landmarks
from hoisdf_ros.detection.votes import Votes
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.postprocessing.smoothing import Smoother
from hoisdf_ros.tracking.grasp import Grasp

ALIKE = 0.6
"""Boxes of two hands, even clasped ones, share less (intersection over union)."""

APART_M = 0.03
"""Joints of two hands are farther apart than this on average, even when one clasps the other."""

WRISTS_APART_M = 0.04
"""Wrists of two hands, even of folded ones, are farther apart than this: each is as thick."""

_DIFFUSION = 0.0044
"""Square metres a second by which a hand's place becomes unknown: 12 mm from image to image."""

_FADING_S = 0.15  # after which a hand that is not seen is no longer expected to go on


@dataclass(frozen=True, eq=False)
class Track:
    """A hand as it was last seen; replaced when it is seen again.

    Args:
        id: Never given twice.
        side: The person's side.
        votes: What was seen of the side.
        score: Confidence that it is a hand, in [0, 1].
        stamp: When it was last seen, seconds.
        measured: When its wrist was last measured, seconds.
        root: The wrist then.
        velocity: (3,) of the wrist, metres per second.
        joints: (21, 3) metres from the wrist, camera axes; None while poses mean nothing.
        box: Around the hand, pixels.
        region: Where the landmark network saw it; None when it did not.
        smoother: What steadies it.
        held: Around what it may hold, pixels; None when nothing is seen there.
        grasp: What it holds; None while nobody was asked.
    """

    id: int
    side: Side
    votes: Votes
    score: float
    stamp: float
    measured: float
    root: Root
    velocity: Array
    joints: Array | None
    box: Box
    region: Region | None
    smoother: Smoother
    held: Box | None = None
    grasp: Grasp | None = None

    def predicted(self, stamp: float) -> Root:
        """The wrist at another time, less sure the longer it is since it was seen."""
        elapsed = max(0.0, stamp - self.stamp)
        ahead = _FADING_S * (1 - np.exp(-elapsed / _FADING_S))
        covariance = self.root.covariance + _DIFFUSION * elapsed * np.eye(3)
        return Root(self.root.position + ahead * self.velocity, covariance, RootSource.TRACK)

    def expected_box(self, camera: Camera, stamp: float) -> Box:
        """Around the hand at another time, pixels."""
        return moved(self.box, self._shift(camera, stamp))

    def box_at(self, region: Region) -> Box | None:
        """Around the hand where the landmark network sees it now, pixels.

        Moved as the landmarks have moved, since they may lie on what the hand holds; None when
        they did not see it before.
        """
        if self.region is None:
            return None
        return moved(self.box, np.array([region.x - self.region.x, region.y - self.region.y]))

    def expected_held(self, camera: Camera, stamp: float) -> Box | None:
        """Around what it may hold at another time, pixels."""
        return None if self.held is None else moved(self.held, self._shift(camera, stamp))

    def expected_region(self, camera: Camera, stamp: float) -> Region | None:
        """Where the landmark network should look at another time; None when nothing says it."""
        if self.region is not None:
            x, y = self._shift(camera, stamp)
            return Region(self.region.x + x, self.region.y + y, self.region.size, self.region.angle)
        if self.joints is None:
            return None
        pixels = project(self.joints + self.predicted(stamp).position, camera)
        return region_of_landmarks(pixels) if np.isfinite(pixels).all() else None

    def _shift(self, camera: Camera, stamp: float) -> Array:
        """(2,) how far the wrist is expected to go in the image, pixels."""
        ends = np.stack([self.root.position, self.predicted(stamp).position])
        first, last = project(ends, camera)
        step: Array = last - first
        return step if np.isfinite(step).all() else np.zeros(2)


def moved(box: Box, step: Array) -> Box:
    """The box elsewhere; ``step`` (2,) pixels."""
    x, y = step.tolist()
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def same_hand(one: Array, other: Array) -> bool:
    """Whether two estimates lie on top of each other, as two hands never do.

    One hand taken for both sides has two poses that differ, but its wrist is at one place.

    Args:
        one, other: (21, 3) joints, metres, camera frame.
    """
    wrists = np.linalg.norm(one[WRIST] - other[WRIST])
    whole = np.linalg.norm(one - other, axis=1).mean()
    return bool(wrists < WRISTS_APART_M or (whole < APART_M and wrists < 2 * APART_M))
