"""The wrist after the network, by depth; and looked at again from there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import MIRROR, RootSource
from hoisdf_ros.datatypes import Array, Root, StageTimes
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.looking.look import Pass, joints_of, sight_of, total
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.postprocessing.clues import Clues
from hoisdf_ros.postprocessing.forearm import wrist_at_forearm
from hoisdf_ros.postprocessing.hand import turned, vote_spread
from hoisdf_ros.postprocessing.refinement import TURN_STDDEV, Refinement, refine_by_depth
from hoisdf_ros.postprocessing.reprojection import inside, rays
from hoisdf_ros.postprocessing.sight import Sight
from hoisdf_ros.postprocessing.skin import Skin
from hoisdf_ros.runtime.backend import Stopwatch

_MORE_PASSES = 2  # at most, after the first: one from the forearm, one from the refined wrist

_CUT_OFF_M = 0.06
"""More standard deviation of a hand that is wholly beyond the image; in proportion of one in part.
With it and the spread of the votes, 3 standard deviations cover 99 % of the errors on videos of
training and validation splits, and 95 % of those of hands that the border cuts in half."""

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


class WristByDepth:
    """Moves the wrist to where the posed hand fits what is seen, and looks again from there.

    Args:
        looker: Shows the network hands.
        skin: The hand's surface.
    """

    def __init__(self, looker: Looker, skin: Skin) -> None:
        self._looker = looker
        self._skin = skin

    def __call__(
        self,
        done: Pass,
        fallback: Root | None,
        config: EstimatorConfig,
        pixels: Array | None = None,
        *,
        missed: bool = False,
    ) -> Refined:
        """The hand on the depth in its mask; it is looked at again when that is far off.

        Args:
            done: A first look, of a frame with depth.
            fallback: The wrist by this frame alone, if known: where to begin again when depth
                does not confirm a hand where it was expected.
            config: Depths believed, and what is far off.
            pixels: (21, 2) landmarks in the image, if the landmark network saw the hand.
            missed: It saw no hand where it was expected.
        """
        watch, spent = Stopwatch(), [done.times]
        sight = self._sight(done, config)  # of the first pass: masks do not depend on the wrist
        arm = wrist_at_forearm(sight)
        start = _start(done.look.root, arm)
        flip = MIRROR if done.look.mirrored else np.eye(3)
        forearm = None if arm is None else arm.position @ flip
        slopes = None if pixels is None else _slopes(done, pixels)
        better = Refinement(start)
        for number in range(_MORE_PASSES):
            if distance(better.root, done.look.root) > far(config):
                spent.append(StageTimes(refine_ms=watch.lap()))
                done = self._looker(replace(done.look, root=better.root))
                spent.append(done.times)
                watch.lap()
            elif number:
                break
            raw = done.raw[0]
            clues = Clues(raw.joints, TURN_STDDEV, slopes, forearm)
            better = refine_by_depth(sight, self._skin, raw.vertices, start, clues)
        spent.append(StageTimes(refine_ms=watch.lap()))
        if better.note and fallback is not None and start.source is RootSource.TRACK:
            again = self._looker(replace(done.look, root=fallback))
            again = replace(again, times=total([*spent, again.times]))
            return self(again, None, config, pixels, missed=missed)
        root = _doubted(better.root) if better.note or missed else better.root
        done = replace(done, raw=(turned(done.raw[0], better.turn), done.raw[1]))
        return Refined(at(self._looker, done, root, spent), not better.note, better.note)

    def _sight(self, done: Pass, config: EstimatorConfig) -> Sight:
        limits = config.min_depth_m, config.max_depth_m
        sight = sight_of(done, self._looker.crop(done.look), limits)
        assert sight is not None  # as `__call__` asks
        return sight


def _start(root: Root, arm: Root | None) -> Root:
    """Where to begin: a hand that is followed where it is expected, another at its forearm."""
    if root.source is RootSource.TRACK or arm is None or not _within(arm, root):
        return root
    return arm


def at(looker: Looker, done: Pass, root: Root, spent: Sequence[StageTimes]) -> Pass:
    """The same hand at another wrist, which is no surer than its pose.

    Args:
        looker: What showed the network the hand.
        done: The last look.
        root: The wrist by what is seen.
        spent: Of all looks.
    """
    look = replace(done.look, root=_unsure_of_pose(root, done))
    # the centre that the object was seen from shares the wrist's depth
    raw = done.raw[0], replace(done.raw[1], center=looker.center(look))
    return Pass(look, raw, done.features, total(spent))


def _slopes(done: Pass, pixels: Array) -> Array:
    """(21, 2) of the rays to pixels (21, 2) of the image, camera frame of the crop."""
    slopes = rays(pixels, done.look.frame.camera)
    return slopes * np.array([-1.0, 1.0]) if done.look.mirrored else slopes


def _doubted(root: Root) -> Root:
    """The wrist where something speaks against the hand as it is posed."""
    return replace(root, covariance=root.covariance + _UNCONFIRMED_M**2 * np.eye(3))


def _unsure_of_pose(root: Root, done: Pass) -> Root:
    """The wrist with what the pose may be wrong by.

    Neither a fit to the depth nor landmarks can tell: wrong poses fit, too, what makes joints
    vague, an object before them, misleads landmarks as well, and beyond the image all is guessed.
    """
    spread = np.nanmean(vote_spread(done.raw[0].votes, done.raw[0].vote_weights))
    placed = replace(done, look=replace(done.look, root=root))
    camera = done.look.frame.camera
    guessed = ~inside(project(joints_of(placed), camera), camera)
    unsure = spread**2 / 3 + (_CUT_OFF_M * float(guessed.mean())) ** 2
    return replace(root, covariance=root.covariance + unsure * np.eye(3))


def far(config: EstimatorConfig) -> float:
    """Metres from which on a wrist is looked at again."""
    return config.second_pass_mm / 1e3


def _within(found: Root, root: Root) -> bool:
    """Whether it is where the first guess says, give or take."""
    step = found.position - root.position
    return bool(np.sqrt(step @ np.linalg.solve(root.covariance, step)) < _ALIKE)


def distance(one: Root, other: Root) -> float:
    """Between two wrists, metres."""
    return float(np.linalg.norm(one.position - other.position))
