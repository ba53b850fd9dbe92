"""The wrist after the network: by depth, or by where the joints are seen; and looked at again."""

from dataclasses import dataclass, replace

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import MIRROR, WRIST, RootSource
from hoisdf_ros.datatypes import Array, Root, StageTimes
from hoisdf_ros.errors import RootError
from hoisdf_ros.looking.look import Pass, sight_of, total
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.postprocessing.apparent_size import (
    OUTLINE_STDDEV,
    PALM_STDDEV,
    SAME_SIZE,
    Distance,
    agreed,
    times_as_large,
)
from hoisdf_ros.postprocessing.forearm import wrist_at_forearm
from hoisdf_ros.postprocessing.hand import turned, vote_spread
from hoisdf_ros.postprocessing.mask_pieces import MASK_THRESHOLD
from hoisdf_ros.postprocessing.refinement import Refinement, refine_by_depth
from hoisdf_ros.postprocessing.reprojection import root_from_pixels
from hoisdf_ros.postprocessing.sight import Sight
from hoisdf_ros.postprocessing.skin import Skin
from hoisdf_ros.runtime.backend import Stopwatch

_MORE_PASSES = 2  # at most, after the first: one from the forearm, one from the refined wrist

_POSE_SHARE = {RootSource.DEPTH: 0.4}
"""How unsure a pose makes of the wrist, as a share of its joint votes' spread; 1 where no depth has
turned the hand. With it, 3 standard deviations cover 99 % of the errors on 120 validation pictures;
without depth, 97 % of those on the validation split's sequences, and 82 % with a share of 0."""

_UNCONFIRMED_M = 0.06
"""Standard deviation, in every direction, of a wrist where depth contradicts the pose, or where the
landmark network sees no hand: on the validation split's sequences the former are 83 mm off, the
latter 76 mm (root mean square), all others 24 mm."""

_ALIKE = 3.0  # deviations of the first guess; a forearm farther off is another one's


@dataclass(frozen=True, eq=False)
class Refined:
    """A hand at its better wrist.

    Args:
        done: The last look, its wrist the better one.
        confirmed: Depth or pixels agree with the pose there.
        note: Why not; empty when they do.
    """

    done: Pass
    confirmed: bool
    note: str = ""


class WristRefiner:
    """Moves the wrist to where the posed hand fits what is seen, and looks again from there.

    Args:
        looker: Shows the network hands.
        skin: The hand's surface.
    """

    def __init__(self, looker: Looker, skin: Skin) -> None:
        self._looker = looker
        self._skin = skin

    def by_depth(
        self, done: Pass, fallback: Root | None, config: EstimatorConfig, *, missed: bool = False
    ) -> Refined:
        """The hand on the depth in its mask; it is looked at again when that is far off.

        Args:
            done: A first look, of a frame with depth.
            fallback: The wrist by this frame alone, if known: where to begin again when depth
                does not confirm a hand where it was expected.
            config: Depths believed, and what is far off.
            missed: The landmark network saw no hand where it was expected.
        """
        watch, spent = Stopwatch(), [done.times]
        sight = self._sight(done, config)  # of the first pass: masks do not depend on the wrist
        start = self._start(done, sight)
        better = Refinement(start)
        for number in range(_MORE_PASSES):
            if distance(better.root, done.look.root) > _far(config):
                spent.append(StageTimes(refine_ms=watch.lap()))
                done = self._looker(replace(done.look, root=better.root))
                spent.append(done.times)
                watch.lap()
            elif number:
                break
            better = refine_by_depth(sight, self._skin, done.raw[0].vertices, start)
        spent.append(StageTimes(refine_ms=watch.lap()))
        if better.note and fallback is not None and start.source is RootSource.TRACK:
            again = self._looker(replace(done.look, root=fallback))
            again = replace(again, times=total([*spent, again.times]))
            return self.by_depth(again, None, config, missed=missed)
        root = _doubted(better.root) if better.note or missed else better.root
        done = replace(done, raw=(turned(done.raw[0], better.turn), done.raw[1]))
        return Refined(self._at(done, root, spent), not better.note, better.note)

    def by_pixels(
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
        root, note = self._by_size(done, pixels, measured, new=new)
        if distance(root, done.look.root) > _far(config):
            done = self._looker(replace(done.look, root=root))
            spent.append(done.times)
            root, note = self._by_size(done, pixels, measured, new=new)
        root = root if expected is None else _between(expected, root)
        return Refined(self._at(done, root, spent), not note, note)

    def _by_size(self, done: Pass, pixels: Array, palm: Root, *, new: bool) -> tuple[Root, str]:
        """The wrist by how large palm, joints and outline look, and what speaks against it.

        Raises:
            RootError: They differ so much that what is new is no hand.
        """
        joints = _by_joints(done, pixels)
        said = [Distance(float(palm.position[2]), PALM_STDDEV)]
        said += [] if joints is None else [_along(joints)]
        found = agreed(self._outline(done), said, new=new)
        close = joints is not None and abs(np.log(joints.position[2] / found.depth)) < SAME_SIZE
        seen = joints if joints is not None and close else palm
        position = seen.position * (found.depth / seen.position[2])
        spread = found.stddev**2 - PALM_STDDEV**2  # instead of the palm's own
        covariance = palm.covariance + spread * np.outer(position, position)
        return replace(palm, position=position, covariance=covariance), found.note

    def _outline(self, done: Pass) -> Distance:
        """How far the wrist is by the size of the hand's outline; a depth of NaN when unknown."""
        crop, root = self._looker.crop(done.look), done.look.root
        flip = MIRROR if done.look.mirrored else np.eye(3)
        hand, held = (mask > MASK_THRESHOLD for mask in (done.masks.hand, done.masks.thing))
        vertices, faces = done.raw[0].vertices + root.position @ flip, self._looker.hand_model.faces
        larger = times_as_large(vertices, faces, crop.intrinsics, hand, held)
        return Distance(float(root.position[2]) * larger, OUTLINE_STDDEV)

    def _start(self, done: Pass, sight: Sight) -> Root:
        """Where to begin: a hand that is followed where it is expected, another at its forearm."""
        root = done.look.root
        if root.source is RootSource.TRACK:
            return root
        found = wrist_at_forearm(sight)
        return found if found is not None and _within(found, root) else root

    def _sight(self, done: Pass, config: EstimatorConfig) -> Sight:
        limits = config.min_depth_m, config.max_depth_m
        sight = sight_of(done, self._looker.crop(done.look), limits)
        assert sight is not None  # as `by_depth` asks
        return sight

    def _at(self, done: Pass, root: Root, spent: list[StageTimes]) -> Pass:
        """The same hand at another wrist."""
        look = replace(done.look, root=_unsure_of_pose(root, done))
        # the centre that the object was seen from shares the wrist's depth
        raw = done.raw[0], replace(done.raw[1], center=self._looker.center(look))
        return Pass(look, raw, done.features, total(spent))


def _doubted(root: Root) -> Root:
    """The wrist where something speaks against the hand as it is posed."""
    return replace(root, covariance=root.covariance + _UNCONFIRMED_M**2 * np.eye(3))


def _between(expected: Root, measured: Root) -> Root:
    """The wrist between two opinions, by their covariances; no surer than what was measured.

    Sizes err alike from frame to frame, so many of them are hardly surer than one.
    """
    weights = np.linalg.inv(expected.covariance + measured.covariance)
    step = measured.position - expected.position
    return replace(measured, position=expected.position + expected.covariance @ weights @ step)


def _unsure_of_pose(root: Root, done: Pass) -> Root:
    """The wrist with what the pose may be wrong by.

    Neither a fit to the depth nor landmarks can tell: wrong poses fit, too, and what makes joints
    vague, an object before them, misleads landmarks as well.
    """
    spread = np.nanmean(vote_spread(done.raw[0].votes, done.raw[0].vote_weights))
    share = _POSE_SHARE.get(root.source, 1.0)
    unsure = (share * spread) ** 2 / 3 * np.eye(3)
    return replace(root, covariance=root.covariance + unsure)


def _by_joints(done: Pass, pixels: Array) -> Root | None:
    """Where the posed hand's joints (21, 3) are seen at their pixels (21, 2), if anywhere."""
    flip = MIRROR if done.look.mirrored else np.eye(3)
    pixels = np.where(np.arange(len(pixels))[:, None] == WRIST, np.nan, pixels)  # see `roots`
    try:
        return root_from_pixels(done.raw[0].joints @ flip, pixels, done.look.frame.camera)
    except RootError:
        return None


def _along(root: Root) -> Distance:
    """A wrist's depth, and how sure it is."""
    depth = float(root.position[2])
    return Distance(depth, float(np.sqrt(root.covariance[2, 2])) / depth)


def _far(config: EstimatorConfig) -> float:
    """Metres from which on a wrist is looked at again."""
    return config.second_pass_mm / 1e3


def _within(found: Root, root: Root) -> bool:
    """Whether it is where the first guess says, give or take."""
    step = found.position - root.position
    return bool(np.sqrt(step @ np.linalg.solve(root.covariance, step)) < _ALIKE)


def distance(one: Root, other: Root) -> float:
    """Between two wrists, metres."""
    return float(np.linalg.norm(one.position - other.position))
