"""The node with a core that does no work: ``python -m hoisdf_ros.ros.dry_run``.

It reports a fixed hand and object, half a metre in front of the camera, for every detected
hand. That shows in seconds whether topics, names and quality of service fit together, costs
neither weights nor torch, and is how the node's own time is measured and tested.
"""

import signal

if __name__ == "__main__":  # Ctrl-C during the imports, which take seconds: ends without a word
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig, NodeConfig
from hoisdf_ros.conventions import (
    FINGER_BASES,
    NUM_BETAS,
    NUM_FACES,
    NUM_VERTICES,
    RootSource,
    Side,
)
from hoisdf_ros.datatypes import (
    Array,
    Box,
    Camera,
    Estimate,
    EstimatorInfo,
    Frame,
    HandEstimate,
    ManoParameters,
    Mesh,
    ObjectEstimate,
    Root,
)
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.ros.node import HandObjectNode
from hoisdf_ros.ros.spinning import run

_SIDES = {"left_hand": Side.LEFT, "right_hand": Side.RIGHT}
_WRIST = np.array([0.0, 0.0, 0.5])  # metres
_EDGE = 0.05  # of the object, a cube, metres
_FACING_CAMERA = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Fingers up, palm away from the camera."""


class ConstantEstimator:
    """Reports the same hand and cube for every frame with a detected hand and depth."""

    def __call__(self, frame: Frame) -> Estimate:
        """A hand for each hand label; nothing, and why, without depth."""
        sides = [_SIDES[d.label] for d in frame.detections if d.label in _SIDES]
        if sides and frame.depth is None:
            return Estimate(notes=("no depth: no hand can be placed",))
        hands = tuple(_hand(number, side, frame.camera) for number, side in enumerate(sides))
        return Estimate(hands, tuple(_cube(hand.id, hand.roi) for hand in hands))

    def faces(self, side: Side) -> NDArray[np.int64]:
        """(1538, 3) triangles; those of the right hand are turned over."""
        triangles = (np.arange(NUM_FACES)[:, None] + np.arange(3)) % NUM_VERTICES
        return triangles if side is Side.LEFT else triangles[:, ::-1]

    def object_mesh(self, object_id: str) -> Mesh:  # noqa: ARG002
        """The cube; it comes from no file."""
        corners = np.array(np.meshgrid(*[[-_EDGE / 2, _EDGE / 2]] * 3)).reshape(3, 8).T
        return Mesh(corners, np.array([[0, 1, 2]], dtype=np.int32))

    def describe(self) -> EstimatorInfo:
        """Nothing runs."""
        return EstimatorInfo(
            weights="none",
            weights_hash="none",
            preset="dry run",
            backend="none",
            precision="none",
            device="none",
            hand_model="none",
            objects=("cube",),
            trained=False,
            detector="none",
        )

    def update(self, config: EstimatorConfig) -> None:
        """Nothing to change."""

    def reset(self) -> None:
        """Nothing to forget."""


def joints_at(wrist: Array) -> Array:
    """(21, 3) joints of a spread hand, fingers up, metres."""
    joints = np.tile(wrist, (21, 1))
    for finger, base in enumerate(FINGER_BASES):
        for segment in range(4):
            joints[base + segment] += [0.02 * (finger - 2), -0.03 * (segment + 2), 0.0]
    return joints


def _hand(number: int, side: Side, camera: Camera) -> HandEstimate:
    joints = joints_at(_WRIST)
    uv = project(joints, camera)
    mano = ManoParameters(np.zeros(3), np.zeros(45), np.zeros(NUM_BETAS), _WRIST)
    (x0, y0), (x1, y1) = uv.min(axis=0), uv.max(axis=0)
    return HandEstimate(
        id=number,
        side=side,
        side_score=1.0,
        score=1.0,
        joints=joints,
        joint_stddev=np.full(21, np.nan),
        joints_uv=uv,
        vertices=np.resize(joints, (NUM_VERTICES, 3)),
        wrist_rotation=_FACING_CAMERA,
        mano=mano,
        root=Root(_WRIST, np.full((3, 3), np.nan), RootSource.FIXED),
        roi=Box(float(x0), float(y0), float(x1), float(y1)),
    )


def _cube(number: int, roi: Box) -> ObjectEstimate:
    return ObjectEstimate(
        id=number,
        object_id="cube",
        hand_id=number,
        score=1.0,
        rotation=np.eye(3),
        translation=_WRIST - [0.0, 0.1, 0.0],
        covariance=None,
        size=np.full(3, _EDGE),
        min_hand_distance=float("nan"),
        joint_contact=np.zeros(21, dtype=bool),
        roi=roi,
    )


def _constant(config: NodeConfig) -> ConstantEstimator:  # noqa: ARG001
    return ConstantEstimator()


def main(args: Sequence[str] | None = None) -> int:
    """Run the node with the constant core; ``args`` as for the node."""
    return run("dry_run", partial(HandObjectNode, _constant), args)


if __name__ == "__main__":
    sys.exit(main())
