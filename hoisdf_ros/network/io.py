"""What enters and leaves the network, as named tuples, so that `torch.export` sees plain tensors.

Axes: B batch, N points, J joints voted for (20, without the wrist), H x W pixels of a map.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class NetworkInput(NamedTuple):
    """One batch of crops.

    Attributes:
        image: (B, 3, S, S) RGB in [0, 1], S = 256, no mean or deviation removed.
        intrinsics: (B, 3, 3) K of the crop, pixels.
        hand_root: (B, 3) wrist in the camera frame, metres.
        object_center: (B, 3) back-projected centre of the object box, camera frame, metres.
        hand_box: (B, 4) x0, y0, x1, y1 of the hand, crop pixels, margin included.
        object_box: (B, 4) the same of the object.
    """

    image: Tensor
    intrinsics: Tensor
    hand_root: Tensor
    object_center: Tensor
    hand_box: Tensor
    object_box: Tensor


def joined(parts: Sequence[NetworkInput]) -> NetworkInput:
    """One batch of several."""
    return NetworkInput(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


class ImageFeatures(NamedTuple):
    """Stage one: what the image alone says (supplementary, Sec. 1.1).

    Attributes:
        pyramid: Five maps (B, C_l, S/l, S/l) at stride l = 2, 4, 8, 16, 32.
        heatmap: (B, 1, S/2, S/2) sum of the 2D joint heatmaps, times 255.
        hand_mask, object_mask: (B, 1, S/2, S/2) probabilities in [0, 1].
    """

    pyramid: tuple[Tensor, ...]
    heatmap: Tensor
    hand_mask: Tensor
    object_mask: Tensor


class FieldPoints(NamedTuple):
    """Points of one field and the signed distances there.

    Attributes:
        points: (B, N, 3) normalised coordinates of the field.
        sdf: (B, N, 1) clamped signed distance, normalised units.
    """

    points: Tensor
    sdf: Tensor


class QueryPoints(NamedTuple):
    """Stage two: the points near the two surfaces, closest first (Sec. 3.2.1)."""

    hand: FieldPoints
    object: FieldPoints


class JointVotes(NamedTuple):
    """Joints voted for by the hand query points.

    Attributes:
        joints: (B, J, 3) metres from the hand root.
        votes: (B, N, J, 3) each point's opinion, metres from the hand root.
        logits: (B, N, J) how far to trust it.
    """

    joints: Tensor
    votes: Tensor
    logits: Tensor


class ObjectVotes(NamedTuple):
    """The object's pose, voted for by the object query points.

    Attributes:
        rotation: (B, 3) rotation vector, camera from mesh, radians.
        translation: (B, 3) of the mesh origin, metres from the object centre.
        rotation_votes, translation_votes: (B, N, 3) each point's opinion.
    """

    rotation: Tensor
    translation: Tensor
    rotation_votes: Tensor
    translation_votes: Tensor


class HandParameters(NamedTuple):
    """Hand model parameters.

    Attributes:
        rotations: (B, 16, 3, 3) joint rotations, wrist first, in MANO's order; None when the
            pose comes from inverse kinematics.
        shape: (B, 10) betas.
    """

    rotations: Tensor | None
    shape: Tensor


class NetworkOutput(NamedTuple):
    """Everything serving needs of one forward pass."""

    features: ImageFeatures
    queries: QueryPoints
    joints: JointVotes
    hand: HandParameters
    object: ObjectVotes


class Attended(NamedTuple):
    """Normalised outputs of the attention stacks, a list over their layers each.

    Attributes:
        hand, object: (B, N, D) tokens; the field's own points come first.
        queries: (B, Q, D) hand queries.
    """

    hand: list[Tensor]
    object: list[Tensor]
    queries: list[Tensor]


class LayerOutput(NamedTuple):
    """The heads' answers at every layer, for the losses; each list runs from first to last."""

    joints: list[JointVotes]
    hand: list[HandParameters]
    object: list[ObjectVotes]
