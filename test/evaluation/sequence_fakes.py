"""Sequences and estimates made by hand, so that what they measure is known."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.data.sequence_truth import TrueFrame, TrueHand, TrueObject
from hoisdf_ros.datatypes import (
    Array,
    Box,
    Camera,
    Estimate,
    Frame,
    HandEstimate,
    ManoParameters,
    ObjectEstimate,
    Root,
)

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)
FRAME_S = 1 / 30
BRICK, STICK = "brick", "stick"
VERTICES = {
    BRICK: np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]]),
    STICK: np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.2]]),
}
LEFT_PLACE, RIGHT_PLACE = np.array([-0.2, 0.0, 0.6]), np.array([0.2, 0.0, 0.6])

_IMAGE = np.zeros((240, 320, 3), np.uint8)
_SHAPE = np.random.default_rng(0).uniform(-0.04, 0.04, (21, 3)) * np.array([1, 1, 0])


def box_at(place: Array) -> Box:
    """A box of about a hand around a place."""
    x, y = 300 * place[:2] / place[2] + np.array([159.5, 119.5])
    return Box(x - 25, y - 25, x + 25, y + 25)


def true_hand(
    number: int, place: Array, *, visible: float = 1.0, held: str | None = None
) -> TrueHand:
    joints = place + _SHAPE
    mano = ManoParameters(np.zeros(3), np.zeros(45), np.zeros(10), joints[0])
    thing = None if held is None else TrueObject(held, np.eye(3), joints[0], box_at(place))
    side = Side.LEFT if number == 0 else Side.RIGHT
    return TrueHand(number, side, joints, mano, box_at(place), visible, thing)


def estimate_of(hand: TrueHand, id_: int, offset: Array | float = 0.0) -> HandEstimate:
    """A perfect estimate but for an offset, metres."""
    joints = hand.joints + offset
    return HandEstimate(
        id=id_,
        side=hand.side,
        side_score=1.0,
        score=1.0,
        joints=joints,
        joint_stddev=np.full(21, np.nan),
        joints_uv=np.zeros((21, 2)),
        vertices=np.zeros((778, 3)),
        wrist_rotation=np.eye(3),
        mano=hand.mano,
        root=Root(joints[0], np.full((3, 3), np.nan), RootSource.DEPTH),
        roi=hand.box,
    )


def object_of(hand: TrueHand, hand_id: int, offset: Array | float = 0.0) -> ObjectEstimate:
    """A perfect estimate of what a hand holds but for an offset, metres."""
    held = hand.held
    assert held is not None
    return ObjectEstimate(
        id=hand_id,
        object_id=held.object_id,
        hand_id=hand_id,
        score=1.0,
        rotation=held.rotation,
        translation=held.translation + offset,
        covariance=None,
        size=np.ones(3),
        min_hand_distance=0.0,
        joint_contact=np.zeros(21, np.bool_),
        roi=held.box,
    )


def perfect(frame: TrueFrame, offset: Array | float = 0.0) -> Estimate:
    """All hands and objects of a frame; the id is 10 more than the number."""
    hands = tuple(estimate_of(hand, hand.number + 10, offset) for hand in frame.hands)
    things = tuple(
        object_of(hand, hand.number + 10, offset) for hand in frame.hands if hand.held is not None
    )
    return Estimate(hands, things)


def frame_of(number: int, hands: Sequence[TrueHand], sequence: str = "made/0") -> TrueFrame:
    frame = Frame(_IMAGE, CAMERA, stamp=number * FRAME_S)
    return TrueFrame(sequence, number, frame, tuple(hands))


def still_hands(frames: int, sequence: str = "made/0") -> list[TrueFrame]:
    """A left hand with a brick and an empty right hand, at rest."""
    left = true_hand(0, LEFT_PLACE, held=BRICK)
    right = true_hand(1, RIGHT_PLACE)
    return [frame_of(number, (left, right), sequence) for number in range(frames)]


def without_objects(estimate: Estimate) -> Estimate:
    return replace(estimate, objects=())
