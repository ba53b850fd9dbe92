"""What is known of a posed hand's place beside its surface: its turn, landmarks, the forearm.

Each clue is a measurement with its own doubt, so they add up as information does (inverse
covariances), and what depth says of the surface comes on top.
"""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import LANDMARK_WRIST_AHEAD_M, MIDDLE_MCP, WRIST
from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import rotation_vector_from_matrix

LANDMARK_STDDEV_M = 0.02
"""Of a landmark, where the hand is."""

FOREARM_STDDEV_M = 0.01
"""Of the wrist at the forearm, each way, where that is not another one's."""

_TOGETHER = 5  # landmarks slip together: 21 of them say as much as so many
_FOREARM_BEHIND_M = 0.01  # masks of the hand end so far in front of the wrist
_NEAREST_M = 0.05


@dataclass(frozen=True, eq=False)
class Clues:
    """Of one hand, camera frame of the crop.

    Args:
        joints: (21, 3) as the network posed them, metres from the wrist.
        turn_stddev: How far the network's turn is to be trusted, radians.
        slopes: (21, 2) x / z and y / z of the landmarks' rays, NaN for those that are only guessed;
            None without landmarks.
        forearm: (3,) where the forearm begins, metres; None where none is seen.
    """

    joints: Array
    turn_stddev: float
    slopes: Array | None = None
    forearm: Array | None = None

    def at(self, turn: Array, place: Array, center: Array) -> tuple[Array, Array]:
        """What they say of a step and a turn from where the hand is taken to be.

        Args:
            turn: (3, 3) around the wrist, after that of the network.
            place: (3,) of the wrist, metres.
            center: (3,) of the turn to come, from the wrist.

        Returns:
            Information matrix (6, 6) and pull (6,) of the step, metres, and the turn, radians.
        """
        matrix, pull = np.zeros((6, 6)), np.zeros(6)
        matrix[3:, 3:] = np.eye(3) / self.turn_stddev**2
        pull[3:] = -rotation_vector_from_matrix(turn) / self.turn_stddev**2
        for clue in (self._landmarks, self._arm):
            more, stronger = clue(turn, place, center)
            matrix += more
            pull += stronger
        return matrix, pull

    def _landmarks(self, turn: Array, place: Array, center: Array) -> tuple[Array, Array]:
        if self.slopes is None:
            return np.zeros((6, 6)), np.zeros(6)
        arms = _as_landmarks(self.joints) @ turn.T
        ways = ways_to_move(arms - center)
        matrix, pull = pixel_equations(arms + place, ways, self.slopes, float(place[2]))
        return matrix * _TOGETHER / len(arms), pull * _TOGETHER / len(arms)

    def wrist(self, turn: Array) -> Array | None:
        """(3,) where the forearm says that the wrist of the hand so turned is, if it does."""
        if self.forearm is None:
            return None
        back = turn @ (self.joints[WRIST] - self.joints[MIDDLE_MCP])
        wrist: Array = self.forearm + _FOREARM_BEHIND_M * back / max(np.linalg.norm(back), 1e-6)
        return wrist

    def _arm(self, turn: Array, place: Array, center: Array) -> tuple[Array, Array]:
        wrist = self.wrist(turn)
        if wrist is None:
            return np.zeros((6, 6)), np.zeros(6)
        off = wrist - place
        deviations = np.linalg.norm(off, keepdims=True).astype(float) / FOREARM_STDDEV_M
        weight = _huber(deviations) / FOREARM_STDDEV_M**2
        ways = ways_to_move(-center[None])[:, 0]  # (6, 3)
        return weight * ways @ ways.T, weight * ways @ off


def _as_landmarks(joints: Array) -> Array:
    """(21, 3) where the landmark network sees these joints."""
    points, ahead = joints.copy(), joints[MIDDLE_MCP] - joints[WRIST]
    points[WRIST] += LANDMARK_WRIST_AHEAD_M * ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    return points


def ways_to_move(arms: Array) -> Array:
    """(6, J, 3) how points move along each axis, and turned around each.

    Args:
        arms: (J, 3) from what they are turned around.
    """
    along = np.broadcast_to(np.eye(3)[:, None], (3, *arms.shape))
    return np.concatenate([along, np.cross(np.eye(3)[:, None], arms)])


def pixel_equations(points: Array, ways: Array, slopes: Array, depth: float) -> tuple[Array, Array]:
    """Information of landmarks about W ways to move what they are of.

    Args:
        points: (J, 3) joints, metres, camera frame.
        ways: (W, J, 3) how each way moves them.
        slopes: (J, 2) where they are seen, x / z and y / z; NaN where they are not.
        depth: Metres, at which a pixel's error is told in metres.

    Returns:
        Matrix (W, W) and pull (W,); one that is far off counts less (Huber 1964).
    """
    near = np.maximum(points[:, 2:], _NEAREST_M)
    seen = points[:, :2] / near
    known = np.isfinite(slopes)
    off = depth * np.where(known, slopes - seen, 0.0)
    weights = _huber(np.linalg.norm(off, axis=1) / LANDMARK_STDDEV_M) / LANDMARK_STDDEV_M**2
    weights = np.where(known.all(axis=1), weights, 0.0)
    moved = depth / near * (ways[..., :2] - seen * ways[..., 2:])  # (W, J, 2)
    matrix = np.einsum("j,wjk,vjk->wv", weights, moved, moved)
    return matrix, np.einsum("j,wjk,jk->w", weights, moved, off)


def _huber(deviations: Array) -> Array:
    weights: Array = 1 / np.maximum(1.0, deviations)
    return weights
