"""The wrist without depth: the hand turned to its landmarks, as far away as it looks large."""

from dataclasses import replace

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import MIRROR, WRIST, RootSource
from hoisdf_ros.datatypes import Array, Root
from hoisdf_ros.errors import RootError
from hoisdf_ros.looking.look import Pass
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.looking.wrist import Refined, at, distance, far
from hoisdf_ros.postprocessing.apparent_size import (
    JOINTS_STDDEV,
    LEARNT_STDDEV,
    OUTLINE_STDDEV,
    PALM_STDDEV,
    Distance,
    agreed,
    times_as_large,
)
from hoisdf_ros.postprocessing.hand import turned
from hoisdf_ros.postprocessing.mask_pieces import MASK_THRESHOLD
from hoisdf_ros.postprocessing.reprojection import root_from_pixels, turned_to_pixels


class WristBySize:
    """Moves and turns a hand to where its joints are seen, and looks again from there.

    Args:
        looker: Shows the network hands.
    """

    def __init__(self, looker: Looker) -> None:
        self._looker = looker

    def __call__(
        self, done: Pass, pixels: Array, measured: Root, config: EstimatorConfig
    ) -> Refined:
        """The hand as far off as it looks large; looked at again when that is elsewhere.

        Args:
            done: A first look.
            pixels: (21, 2) landmarks in the image.
            measured: The wrist by the landmarks alone.
            config: What is far off.

        Raises:
            RootError: What is new there has not the size of a hand.
        """
        expected = done.look.root if done.look.root.source is RootSource.TRACK else None
        spent, new = [done.times], expected is None
        better = self._placed(done, pixels, measured, new=new)
        if distance(better.done.look.root, done.look.root) > far(config):
            done = self._looker(replace(done.look, root=better.done.look.root))
            spent.append(done.times)
            better = self._placed(done, pixels, measured, new=new)
        root = better.done.look.root
        root = root if expected is None else _between(expected, root)
        return replace(better, done=at(self._looker, better.done, root, spent))

    def _placed(self, done: Pass, pixels: Array, palm: Root, *, new: bool) -> Refined:
        """The hand turned to its landmarks, where palm, joints and outline agree that it is.

        Raises:
            RootError: They differ so much that what is new is no hand.
        """
        flip, camera = MIRROR if done.look.mirrored else np.eye(3), done.look.frame.camera
        joints = done.raw[0].joints @ flip
        turn, place = turned_to_pixels(joints, pixels, done.look.root.position, camera)
        done = replace(done, raw=(turned(done.raw[0], flip @ turn @ flip), done.raw[1]))
        by_joints = _by_joints(done, pixels)
        said = [Distance(float(palm.position[2]), PALM_STDDEV)]
        said += [] if by_joints is None else [Distance(by_joints, JOINTS_STDDEV)]
        found = agreed(said, self._by_image(done), new=new)
        position = place * (found.depth / place[2])
        across = palm.covariance - PALM_STDDEV**2 * np.outer(palm.position, palm.position)
        covariance = across + found.stddev**2 * np.outer(position, position)
        root = replace(palm, position=position, covariance=covariance)
        done = replace(done, look=replace(done.look, root=root))
        return Refined(done, not found.note, found.note)

    def _by_image(self, done: Pass) -> list[Distance]:
        """How far the wrist is by the size of the hand's outline, and by what was learnt of it."""
        crop, root = self._looker.crop(done.look), done.look.root
        flip = MIRROR if done.look.mirrored else np.eye(3)
        hand, held = (mask > MASK_THRESHOLD for mask in (done.masks.hand, done.masks.thing))
        vertices, faces = done.raw[0].vertices + root.position @ flip, self._looker.hand_model.faces
        larger = times_as_large(vertices, faces, crop.intrinsics, hand, held)
        pixels = self._looker.pixels_per_metre(done)
        said = [Distance(float(root.position[2]) * larger, OUTLINE_STDDEV)]
        if pixels is not None:
            said.append(Distance(float(crop.intrinsics[0, 0]) / pixels, LEARNT_STDDEV))
        return [distance for distance in said if distance.depth > 0]


def _between(expected: Root, measured: Root) -> Root:
    """The wrist between two opinions, by their covariances; no surer than what was measured.

    Sizes err alike from frame to frame, so many of them are hardly surer than one.
    """
    weights = np.linalg.inv(expected.covariance + measured.covariance)
    step = measured.position - expected.position
    return replace(measured, position=expected.position + expected.covariance @ weights @ step)


def _by_joints(done: Pass, pixels: Array) -> float | None:
    """How far the wrist is, metres, so that joints (21, 3) are seen at pixels (21, 2), if it is."""
    flip = MIRROR if done.look.mirrored else np.eye(3)
    pixels = np.where(np.arange(len(pixels))[:, None] == WRIST, np.nan, pixels)  # is elsewhere
    try:
        root = root_from_pixels(done.raw[0].joints @ flip, pixels, done.look.frame.camera)
    except RootError:
        return None
    return float(root.position[2])
