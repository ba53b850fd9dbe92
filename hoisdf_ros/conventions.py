"""Units, frames and orders, said once.

Lengths are metres, angles radians, images RGB, pixels (x right, y down) with integer values
at pixel centres. The camera frame is the optical frame of REP 103: x right, y down,
z forward. Quaternions are (x, y, z, w). A transform named ``a_from_b`` takes points in frame b
to frame a. Conversions from other conventions happen where the data enters: a data set's
loader, a hand model file, a message.
"""

import enum

import numpy as np
from numpy.typing import NDArray

FINGERS = ("THUMB", "INDEX", "MIDDLE", "RING", "PINKY")

JOINT_NAMES: tuple[str, ...] = (
    "WRIST",
    *(f"THUMB_{part}" for part in ("CMC", "MCP", "IP", "TIP")),
    *(f"{finger}_{part}" for finger in FINGERS[1:] for part in ("MCP", "PIP", "DIP", "TIP")),
)
"""The 21 hand joints in the order used everywhere outside the hand model."""

NUM_JOINTS = len(JOINT_NAMES)

WRIST, MIDDLE_MCP = JOINT_NAMES.index("WRIST"), JOINT_NAMES.index("MIDDLE_MCP")
FINGER_BASES = (1, 5, 9, 13, 17)
"""First joint of thumb, index, middle, ring and little finger."""

LANDMARK_WRIST_AHEAD_M = 0.013
"""The hand detector's wrist lies so far from the joint towards the fingers."""

BONES: tuple[tuple[int, int], ...] = tuple(
    (0 if joint in FINGER_BASES else joint - 1, joint) for joint in range(1, NUM_JOINTS)
)
"""(parent, child) joints of the 20 bones."""

HAND_ORDER_FROM_MANO = (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
"""Index into MANO's 16 skeleton joints (wrist; index, middle, little, ring, thumb) followed by
the five tips (thumb, index, middle, ring, little), for each of the 21 joints."""

NUM_VERTICES, NUM_FACES, NUM_MANO_JOINTS, NUM_BETAS = 778, 1538, 16, 10

MIRROR: NDArray[np.float64] = np.diag([-1.0, 1.0, 1.0])
"""Turns a left hand into a right one: x of points; rotations R become M R M."""


UNTRAINED_WARNING = "untrained weights: poses are meaningless"
"""Said wherever poses are shown while the network's weights are random."""


class Side(enum.IntEnum):
    """The person's hand; the values are those of ``HandPose.side``."""

    UNKNOWN = 0
    LEFT = 1
    RIGHT = 2


class NameSource(enum.IntEnum):
    """Who says which object is held; the values are those of ``HeldObject.name_source``."""

    GIVEN = 0
    DETECTED = 1
    FIELD = 2
    UNKNOWN = 3


class RootSource(enum.IntEnum):
    """Where a wrist position came from; the values are those of ``HandPose.root_source``."""

    NONE = 0
    DEPTH = 1
    DETECTION = 2
    TRACK = 3
    FIXED = 4
