"""The wrist before the network looks: measured, or expected of a hand that is followed."""

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import MIDDLE_MCP, WRIST
from hoisdf_ros.datatypes import Array, Box, Frame, Root
from hoisdf_ros.errors import RootError
from hoisdf_ros.postprocessing.apparent_size import root_from_palm
from hoisdf_ros.preprocessing.roots import root_from_depth, root_from_landmarks
from hoisdf_ros.preprocessing.union import Grip, union_box
from hoisdf_ros.tracking.sighting import Sighting

_AGREE_M = 0.08  # an expected wrist that is farther off than this is not the one that was measured


def first_root(
    frame: Frame, sighting: Sighting, config: EstimatorConfig, *, refined: bool
) -> tuple[Root, Root | None]:
    """Where the wrist is taken to be when the network looks first.

    Where a hand is expected is the best guess, as long as what is measured does not contradict
    it; but a guess alone never becomes any better.

    Args:
        frame: The image, with depth or without.
        sighting: The hand.
        config: Where wrists come from.
        refined: The wrist will be refined after the network.

    Returns:
        The best guess, and the wrist by this frame alone, or None when nothing tells it.

    Raises:
        RootError: Nothing says how far the hand is.
        ImageError: Its box lies outside the image.
    """
    track = sighting.track
    expected = None if track is None else track.predicted(frame.stamp)
    try:
        measured = measured_root(frame, sighting, config)
    except RootError:
        if expected is None:
            raise
        return expected, None
    if expected is None or not refined:
        return measured, measured
    off = float(np.linalg.norm(expected.position - measured.position))
    trusted = config.depth_mode == "none" or off < _AGREE_M
    return (expected if trusted else measured), measured


def measured_root(frame: Frame, sighting: Sighting, config: EstimatorConfig) -> Root:
    """The wrist by this frame alone.

    Raises:
        RootError: Nothing says how far the hand is.
        ImageError: Its box lies outside the image.
    """
    seen = sighting.landmarks
    if config.depth_mode == "aligned":
        root = None
        if seen is not None:
            root = root_from_landmarks(frame, seen.landmarks, seen.world, config)
        return root or root_from_depth(frame, sighting.region.hand.box, config)
    if seen is None:
        raise RootError(
            "depth_mode is none, and the hand detector sees no joints here: nothing says how far "
            "the hand is; give depth, or bring the hand into full view"
        )
    return root_from_palm(seen.landmarks, seen.world, frame.camera)


def what_may_be_held(frame: Frame, sighting: Sighting, root: Root) -> Box | None:
    """Around the object of a hand for which no box of one is given, pixels.

    A hand that is followed holds what it held; of a new one it is the whole of hand and object.

    Args:
        frame: The image, with depth or without.
        sighting: The hand.
        root: Its wrist.
    """
    region, track = sighting.region, sighting.track
    if region.held is not None:
        return None
    if track is not None and (track.held is not None or track.grasp is not None):
        return track.expected_held(frame.camera, frame.stamp)
    return union_box(frame, Grip(region.hand.box, region.side, root.position, _fingers(sighting)))


def _fingers(sighting: Sighting) -> Array | None:
    """(3,) from the wrist towards the middle knuckle, metres; None when nothing tells it."""
    joints = None
    if sighting.landmarks is not None:
        joints = sighting.landmarks.world
    elif sighting.track is not None:
        joints = sighting.track.joints
    return None if joints is None else joints[MIDDLE_MCP] - joints[WRIST]
