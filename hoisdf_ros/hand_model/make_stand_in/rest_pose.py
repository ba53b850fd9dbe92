"""Brings hands into MANO's rest: its axes, flat, of a human length."""

import numpy as np
from scipy.spatial.transform import Rotation

from hoisdf_ros.hand_model.assets import PARENTS, Array
from hoisdf_ros.hand_model.make_stand_in.hands import SourceHands

FINGERS = {"index": 1, "middle": 4, "pinky": 7, "ring": 10, "thumb": 13}
"""First joint of each finger in MANO's order."""
STRAIGHT_FINGERS = ("index", "middle", "pinky", "ring")
MIDDLE_BASE, INDEX_BASE, LITTLE_BASE = 4, 1, 7
SPREAD = 0.35
"""How much a straightened finger points away from the wrist rather than as it was."""
LENGTH_M, LENGTH_SD_M, LENGTH_RANGE_M = 0.188, 0.0095, (0.162, 0.216)
"""Wrist to the tip of the middle finger: adults."""


def align_axes(hands: SourceHands) -> None:
    """Turn each hand: wrist at the origin, fingers along -x, palm down (-y), thumb side +z."""
    for vertices, joints in zip(hands.vertices, hands.joints, strict=True):
        axes, wrist = _hand_axes(joints), joints[0].copy()
        vertices[:] = (vertices - wrist) @ axes.T
        joints[:] = (joints - wrist) @ axes.T


def _hand_axes(joints: Array) -> Array:
    """(3, 3) rows: the hand's x, y, z axes."""
    x = joints[0] - joints[MIDDLE_BASE]
    x /= np.linalg.norm(x)
    z = joints[INDEX_BASE] - joints[LITTLE_BASE]
    z -= (z @ x) * x
    z /= np.linalg.norm(z)
    return np.stack([x, np.cross(z, x), z])


def finger_tips(hands: SourceHands) -> dict[str, int]:
    """The vertex of each finger's last part that is farthest from its last joint."""
    tips = {}
    for finger, base in FINGERS.items():
        part = np.flatnonzero(hands.weights[:, base + 2] > 0.5)
        reach = np.linalg.norm(hands.vertices[0, part] - hands.joints[0, base + 2], axis=1)
        tips[finger] = int(part[reach.argmax()])
    return tips


def straighten(hands: SourceHands, tips: dict[str, int]) -> None:
    """Stretch the four fingers into the palm's plane: MANO's zero pose is a flat hand."""
    joints = hands.joints[0]
    rotations = np.tile(np.eye(3), (len(PARENTS), 1, 1))
    for finger in STRAIGHT_FINGERS:
        base = FINGERS[finger]
        points = np.vstack([joints[base : base + 3], hands.vertices[0, tips[finger]]])
        bones = _unit(np.diff(points, axis=0))
        wanted = SPREAD * _unit(joints[base] - joints[0]) + (1 - SPREAD) * bones[0]
        wanted = _unit(wanted * [1.0, 0.0, 1.0])
        before = np.eye(3)
        for k, bone in enumerate(bones):
            turned = Rotation.align_vectors([wanted], [bone])[0].as_matrix()
            rotations[base + k] = before.T @ turned
            before = turned
    hands.vertices, hands.joints = skin(hands, rotations)


def skin(hands: SourceHands, rotations: Array) -> tuple[Array, Array]:
    """Linear blend skinning of all hands by one pose.

    Args:
        hands: N hands at rest.
        rotations: (16, 3, 3) rotation of each joint relative to its parent.

    Returns:
        (N, V, 3) vertices and (N, 16, 3) joints, metres.
    """
    turned = [rotations[0]]
    moved = [hands.joints[:, 0]]
    for joint, parent in enumerate(PARENTS[1:], start=1):
        offset = hands.joints[:, joint] - hands.joints[:, parent]
        moved.append(moved[parent] + offset @ turned[parent].T)
        turned.append(turned[parent] @ rotations[joint])
    vertices = np.zeros_like(hands.vertices)
    for joint, rotation in enumerate(turned):
        local = hands.vertices - hands.joints[:, joint, None]
        posed = local @ rotation.T + moved[joint][:, None]
        vertices += hands.weights[:, joint, None] * posed
    return vertices, np.stack(moved, axis=1)


def rescale(hands: SourceHands, middle_tip: int, rng: np.random.Generator) -> None:
    """Give the hands lengths of adults: anny's are some 13 % too long, and vary too much."""
    length = np.linalg.norm(hands.vertices[:, middle_tip] - hands.joints[:, 0], axis=1)
    wanted = np.clip(rng.normal(LENGTH_M, LENGTH_SD_M, len(length)), *LENGTH_RANGE_M)
    wanted[0] = LENGTH_M
    scale = (wanted / length)[:, None, None]
    hands.vertices *= scale
    hands.joints *= scale


def _unit(vectors: Array) -> Array:
    """Vectors (..., 3) of length one."""
    unit: Array = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit
