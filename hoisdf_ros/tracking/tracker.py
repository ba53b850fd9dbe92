"""Names that stay: the hands that are followed, from frame to frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.datatypes import Array, Box, HandEstimate, Root
from hoisdf_ros.detection.suppression import share
from hoisdf_ros.postprocessing.smoothing import Smoother
from hoisdf_ros.tracking.grasp import Grasp
from hoisdf_ros.tracking.sighting import Sighting
from hoisdf_ros.tracking.track import ALIKE, Track, same_hand

JUMP_M = 0.3
"""A wrist that is farther from where it was than this belongs to another hand."""

_SWIFT = 0.5  # weight of the last step in a hand's velocity


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a sighting.

    Args:
        stamp: Of the frame, seconds.
        root: The wrist; of the source TRACK it was not measured in this frame.
        joints: (21, 3) metres from the wrist, camera axes; None while poses mean nothing.
        box: Around the hand, pixels.
        held: Around what the hand may hold, pixels; None when nothing is seen there.
        grasp: What it holds; None when nobody was asked.
    """

    stamp: float
    root: Root
    joints: Array | None
    box: Box
    held: Box | None
    grasp: Grasp | None = None


class Tracker:
    """Remembers hands while they are seen, and gives them ids.

    Args:
        timeout: A hand whose wrist was not measured for so long is forgotten, seconds.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.tracks: list[Track] = []
        self._next_id = 0

    def reset(self) -> None:
        """Forget every hand; ids are never given twice."""
        self.tracks.clear()

    def forget(self, stamp: float) -> None:
        """Drop the hands that were last seen too long before ``stamp``, or after it.

        Args:
            stamp: Time of the frame, seconds; a step back in time (a bag that starts again)
                forgets everything.
        """
        self.tracks = [t for t in self.tracks if 0 <= stamp - t.measured <= self.timeout]

    def keep(self, sighting: Sighting, outcome: Outcome) -> Track:
        """Remember a hand as it was just seen: the track it goes on, or a new one.

        Args:
            sighting: Where it was taken to be.
            outcome: Where it is.
        """
        before = sighting.track
        if before is not None and _distance(before, outcome.root) > JUMP_M:
            before = None
        identity = self._next_id if before is None else before.id
        self._next_id += before is None
        measured = outcome.root.source is not RootSource.TRACK
        region = sighting.region
        track = Track(
            id=identity,
            side=region.side,
            votes=sighting.votes,
            score=region.hand.score,
            stamp=outcome.stamp,
            measured=outcome.stamp if measured or before is None else before.measured,
            root=outcome.root,
            velocity=np.zeros(3) if before is None else _velocity(before, outcome),
            joints=outcome.joints,
            box=outcome.box,
            region=sighting.landmarks.region if sighting.landmarks is not None else None,
            smoother=_smoother(before, region.side),
            held=outcome.held,
            grasp=outcome.grasp,
        )
        self.tracks = [other for other in self.tracks if other is not sighting.track]
        self.tracks.append(track)
        return track

    def drop(self, track: Track | None) -> None:
        """Forget one hand, if there is one."""
        self.tracks = [other for other in self.tracks if other is not track]


def double_of(
    joints: Array, others: Sequence[HandEstimate], box: Box | None = None
) -> HandEstimate | None:
    """The hand that this one is a second time, or None.

    Args:
        joints: (21, 3) metres, camera frame.
        others: Hands of the same frame.
        box: Around this hand, pixels, where distances are too rough to tell two hands that lie
            one behind the other; None where depth tells them.
    """

    def alike(other: HandEstimate) -> bool:
        covered = box is not None and share(box, other.roi) > ALIKE
        return covered or same_hand(joints, other.joints)

    return next(filter(alike, others), None)


def _smoother(before: Track | None, side: Side) -> Smoother:
    """A hand that turns out to be the other one begins afresh: its pose was mirrored."""
    return before.smoother if before is not None and before.side is side else Smoother()


def _velocity(before: Track, outcome: Outcome) -> Array:
    """(3,) metres per second; the old one while the wrist is not measured."""
    elapsed = outcome.stamp - before.stamp
    if elapsed <= 0 or outcome.root.source is RootSource.TRACK:
        return before.velocity
    step = (outcome.root.position - before.root.position) / elapsed
    velocity: Array = _SWIFT * step + (1 - _SWIFT) * before.velocity
    return velocity


def _distance(track: Track, root: Root) -> float:
    return float(np.linalg.norm(track.root.position - root.position))
