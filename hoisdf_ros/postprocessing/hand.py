"""One hand in the camera frame, on its own side."""

from dataclasses import dataclass, replace

import numpy as np

from hoisdf_ros.conventions import JOINT_NAMES, MIDDLE_MCP, MIRROR, WRIST, Side
from hoisdf_ros.datatypes import Array, Box, Camera, HandEstimate, ManoParameters, Root
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.rotation import rotation_vector_from_matrix

_INDEX_MCP, _PINKY_MCP = JOINT_NAMES.index("INDEX_MCP"), JOINT_NAMES.index("PINKY_MCP")


@dataclass(frozen=True)
class RawHand:
    """What the network and the hand model say, as a right hand around its wrist.

    Args:
        vertices: (778, 3) metres.
        joints: (21, 3) metres.
        rotations: (16, 3, 3) joint rotations in MANO's order, wrist first.
        betas: (10,) shape.
        votes: (N, 20, 3) each point's opinion of each joint but the wrist, metres.
        vote_weights: (N, 20), summing to one over the points.
    """

    vertices: Array
    joints: Array
    rotations: Array
    betas: Array
    votes: Array
    vote_weights: Array


@dataclass(frozen=True)
class Seen:
    """Who the hand is and where it was seen.

    Args:
        id: Track.
        side: The person's side; a left hand's `RawHand` is its mirror image.
        side_score, score: Confidence, in [0, 1].
        root: The wrist.
        roi: The hand's box, pixels.
    """

    id: int
    side: Side
    side_score: float
    score: float
    root: Root
    roi: Box


def estimate_hand(raw: RawHand, seen: Seen, camera: Camera) -> HandEstimate:
    """Put a hand where its wrist is, and give it its own side back.

    Args:
        raw: The hand as a right one, around its wrist.
        seen: Side, wrist and scores.
        camera: Of the image, for the joints' pixels.
    """
    flip = MIRROR if seen.side is Side.LEFT else np.eye(3)
    joints = raw.joints @ flip + seen.root.position
    rotations = flip @ raw.rotations @ flip
    vectors = rotation_vector_from_matrix(rotations)
    return HandEstimate(
        id=seen.id,
        side=seen.side,
        side_score=seen.side_score,
        score=seen.score,
        joints=joints,
        joint_stddev=vote_spread(raw.votes, raw.vote_weights),
        joints_uv=project(joints, camera),
        vertices=raw.vertices @ flip + seen.root.position,
        wrist_rotation=wrist_frame(joints, seen.side),
        mano=ManoParameters(vectors[0], vectors[1:].ravel(), raw.betas, joints[WRIST]),
        root=seen.root,
        roi=seen.roi,
    )


def turned(hand: RawHand, turn: Array) -> RawHand:
    """The hand turned around its wrist.

    Args:
        hand: As the network says.
        turn: (3, 3), camera axes of the crop.
    """
    rotations = hand.rotations.copy()
    rotations[0] = turn @ rotations[0]
    vertices, joints, votes = (p @ turn.T for p in (hand.vertices, hand.joints, hand.votes))
    return replace(hand, vertices=vertices, joints=joints, rotations=rotations, votes=votes)


def vote_spread(votes: Array, weights: Array) -> Array:
    """Standard deviation of the joint votes.

    Args:
        votes: (N, 20, 3) metres.
        weights: (N, 20), summing to one over the points.

    Returns:
        (21,) metres; NaN for the wrist, which is not voted for.
    """
    mean = np.einsum("nj,njc->jc", weights, votes)
    square = np.einsum("nj,njc->j", weights, (votes - mean) ** 2)
    return np.concatenate([[np.nan], np.sqrt(square)])


def wrist_frame(joints: Array, side: Side) -> Array:
    """The wrist's axes, read off the palm.

    Args:
        joints: (21, 3) metres, camera frame.
        side: LEFT or RIGHT.

    Returns:
        (3, 3) camera-from-wrist: x towards the middle knuckle, z out of the back of the hand.
    """
    x = _unit(joints[MIDDLE_MCP] - joints[WRIST])
    across = joints[_INDEX_MCP] - joints[_PINKY_MCP]
    if side is Side.LEFT:
        across = -across
    z = _unit(np.cross(x, across))
    return np.stack([x, np.cross(z, x), z], axis=1)


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit
