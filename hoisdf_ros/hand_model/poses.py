"""Plausible finger poses of the stand-in hand, from flat to fist."""

import numpy as np

from hoisdf_ros.conventions import NUM_MANO_JOINTS
from hoisdf_ros.hand_model.assets import Array

SPREAD_AXIS = np.array([0.0, 1.0, 0.0])
"""Fingers spread about the normal of the flat palm."""
OPPOSITION_AXIS = np.array([-1.0, 0.0, 0.0])
"""The thumb opposes the fingers about the hand's long axis."""
FINGER_BASES_MANO, THUMB_BASE = (1, 4, 7, 10), 13


def sample_poses(bend_axes: Array, count: int, rng: np.random.Generator) -> Array:
    """Sample poses of a right hand whose fingers close together, each a little by itself.

    Args:
        bend_axes: (16, 3) from `stand_in.load_stand_in_bend_axes`.
        count: How many poses.
        rng: Source of randomness.

    Returns:
        (count, 16, 3) rotation vectors in MANO's joint order, radians; the wrist's are zero.
    """
    poses = np.zeros((count, NUM_MANO_JOINTS, 3))
    closed = rng.beta(1.2, 1.5, count)  # 0 flat, 1 fist, one value for all fingers

    def degrees(mean: Array | float, deviation: float) -> Array:
        """Angles (count, 1) around a mean, given in degrees, in radians."""
        return np.radians(mean + rng.normal(0, deviation, count))[:, None]

    for base in FINGER_BASES_MANO:
        own = np.clip(closed + rng.normal(0, 0.15, count), 0, 1)
        middle = np.clip(degrees(90 * own, 10), 0, np.radians(105))
        spread = degrees(0.0, 6) * (1 - own)[:, None]
        poses[:, base] = degrees(75 * own - 10, 8) * bend_axes[base] + spread * SPREAD_AXIS
        poses[:, base + 1] = middle * bend_axes[base + 1]
        poses[:, base + 2] = (0.6 * middle + degrees(0.0, 4)) * bend_axes[base + 2]

    own = np.clip(closed + rng.normal(0, 0.2, count), 0, 1)
    base, bend = THUMB_BASE, bend_axes[THUMB_BASE:]
    poses[:, base] = degrees(10.0, 12) * OPPOSITION_AXIS + degrees(15 * own, 6) * bend[0]
    poses[:, base + 1] = degrees(25 * own, 6) * bend[1]
    poses[:, base + 2] = degrees(35 * own, 8) * bend[2]
    return poses
