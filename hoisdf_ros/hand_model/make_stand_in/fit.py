"""The learned parts of a hand model: vertex order, joint regressor, shapes, finger poses."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from hoisdf_ros.conventions import NUM_BETAS, NUM_MANO_JOINTS
from hoisdf_ros.hand_model.assets import Array

TIP_SLOTS = {
    "thumb": (745, 744),
    "index": (317, 320),
    "middle": (444, 443, 445),
    "ring": (556, 554, 555),
    "pinky": (673, 671, 672),
}
"""Vertex numbers that programs written for MANO take as finger tips, our own first."""
CANDIDATES = 90
SUM_WEIGHT = 10.0


def vertex_order(vertices: Array, tips: dict[str, int]) -> NDArray[np.int64]:
    """An order of the vertices in which MANO's tip numbers are finger tips.

    Args:
        vertices: (V, 3) positions.
        tips: Vertex at the tip of each finger.

    Returns:
        (V,) for each new place the vertex that goes there.
    """
    order = np.full(len(vertices), -1)
    placed: set[int] = set()
    for finger, slots in TIP_SLOTS.items():
        distance = np.linalg.norm(vertices - vertices[tips[finger]], axis=1)
        nearest = [int(v) for v in np.argsort(distance) if int(v) not in placed][: len(slots)]
        order[list(slots)] = nearest
        placed.update(nearest)
    order[order < 0] = [v for v in range(len(vertices)) if v not in placed]
    return order


def joint_regressor(vertices: Array, joints: Array) -> Array:
    """Joints as non-negative sums of near vertices that hold over all shapes.

    Args:
        vertices: (N, V, 3) hands of many shapes, metres.
        joints: (N, J, 3) their joints, metres.

    Returns:
        (J, V) weights; each row sums to one.
    """
    regressor = np.zeros((joints.shape[1], vertices.shape[1]))
    for joint in range(joints.shape[1]):
        distance = np.linalg.norm(vertices[0] - joints[0, joint], axis=1)
        near = np.argsort(distance)[:CANDIDATES]
        sums = vertices[:, near].transpose(0, 2, 1).reshape(-1, len(near))
        sums = np.vstack([sums, np.full((1, len(near)), SUM_WEIGHT)])
        weights, _ = nnls(sums, np.append(joints[:, joint].ravel(), SUM_WEIGHT))
        regressor[joint, near] = weights / weights.sum()
    return regressor


def shape_components(vertices: Array) -> tuple[Array, Array]:
    """The mean hand (V, 3) and offsets (V, 3, 10) per standard deviation of each component.

    The first component's sign is such that a positive value is a larger hand.
    """
    count = len(vertices)
    mean = vertices.mean(axis=0)
    _, sizes, rows = np.linalg.svd((vertices - mean).reshape(count, -1), full_matrices=False)
    signs = np.sign(rows[:NUM_BETAS] @ mean.ravel())
    scaled = rows[:NUM_BETAS] * (signs * sizes[:NUM_BETAS] / np.sqrt(count - 1))[:, None]
    return mean, scaled.T.reshape(*mean.shape, NUM_BETAS)


def pose_components(poses: Array) -> tuple[Array, Array]:
    """The mean (45,) and the principal components (45, 45) of poses (N, 16, 3), radians."""
    fingers = poses[:, 1:].reshape(len(poses), -1)
    mean = fingers.mean(axis=0)
    _, _, rows = np.linalg.svd(fingers - mean, full_matrices=False)
    return mean, rows


def bend_axes(joints: Array, thumb_tip: Array) -> Array:
    """Axes about which the joints of a flat hand bend; positive angles close it.

    Args:
        joints: (16, 3) joints in MANO's order and axes, metres.
        thumb_tip: (3,) tip of the thumb, metres.

    Returns:
        (16, 3) unit axes; the wrist's is zero.
    """
    axes = np.zeros((NUM_MANO_JOINTS, 3))
    palm_down = np.array([0.0, -1.0, 0.0])
    for base in (1, 4, 7, 10):
        axes[base : base + 3] = np.cross(joints[base + 1] - joints[base], palm_down)
    axes[13:16] = np.cross(joints[14] - joints[13], thumb_tip - joints[15])
    axes[1:] /= np.linalg.norm(axes[1:], axis=1, keepdims=True)
    return axes
