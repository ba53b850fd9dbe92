"""Rotations from joints, for the preset that votes for joints only (``ho3d_render``).

The palm by a rigid alignment of the five finger bases, then each finger from base to tip: the
smallest turn that points the hand's bone along the wanted one. Twist about a bone is left at
zero, since joints do not show it. Published rule: HOISDF, inverse kinematics of its HO-3D
render model.
"""

from typing import Literal

import torch
from torch import Tensor

from hoisdf_ros.conventions import FINGER_BASES, WRIST

Reflection = Literal["published", "corrected"]

MANO_FINGERS = (1, 2, 4, 3, 0)
"""Finger (thumb, index, middle, ring, little) at each place of MANO's order of rotations."""
SMALLEST = 1e-12


def solve_pose(template_joints: Tensor, target_joints: Tensor, reflection: Reflection) -> Tensor:
    """Rotations that bring a hand's joints in line with wanted ones.

    Bone lengths stay the hand's own, so the targets are met in direction, not in place.

    Args:
        template_joints: (B, 21, 3) joints of the hand at zero pose with its shape, metres, in
            the order of `conventions.JOINT_NAMES`.
        target_joints: (B, 21, 3) wanted joints in the axes of the result, metres.
        reflection: What happens where the best alignment of the palm is a mirror image (det
            R = -1: the joints look like the other hand's). "published" gives up on the hand,
            all rotations the identity, as the published network does; for parity only.
            "corrected" takes the best proper rotation; for serving.

    Returns:
        (B, 16, 3, 3) rotations relative to the parent, in MANO's joint order.
    """
    palm, mirrored = _align_palm(template_joints, target_joints)
    wrist, wanted_wrist = template_joints[:, WRIST], target_joints[:, WRIST]
    fingers = _chains(template_joints - wrist[:, None])  # (B, 5, 4, 3)
    wanted = _chains(target_joints - wanted_wrist[:, None])
    so_far = palm[:, None].expand(-1, len(MANO_FINGERS), -1, -1)  # (B, 5, 3, 3)
    joint = _rotate(so_far, fingers[:, :, 0])  # (B, 5, 3)
    turns = []
    for k in range(3):
        bone = fingers[:, :, k + 1] - fingers[:, :, k]
        seen = _rotate(so_far.mT, wanted[:, :, k + 1] - joint)
        turns.append(_smallest_turn(bone, seen))
        so_far = so_far @ turns[-1]
        joint = joint + _rotate(so_far, bone)
    rotations = torch.cat([palm[:, None], torch.stack(turns, dim=2).flatten(1, 2)], dim=1)
    if reflection == "corrected":
        return rotations
    # kept: without a reflection check the published pose of such a hand stays zero.
    return torch.where(mirrored[:, None, None, None], _identity(rotations), rotations)


def _align_palm(template: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The rotation (B, 3, 3) of the finger bases, and where (B,) a mirroring fits better."""
    bases = list(FINGER_BASES)
    origin, wanted_origin = template[:, WRIST, None], target[:, WRIST, None]
    covariance = (template[:, bases] - origin).mT @ (target[:, bases] - wanted_origin)
    u, _, vh = torch.linalg.svd(covariance)  # covariance = U S V^T
    mirrored = torch.linalg.det(vh.mT @ u.mT) < 0
    # differs: the published rule has no such line; flipping the last singular vector, along
    # which the bases say least, gives the best rotation when the best alignment mirrors.
    last = torch.where(mirrored, -1.0, 1.0).to(vh.dtype)[:, None]
    vh = torch.cat([vh[:, :2], vh[:, 2:] * last[:, None]], dim=1)
    return vh.mT @ u.mT, mirrored


def _chains(joints: Tensor) -> Tensor:
    """The 20 finger joints (B, 21, 3) as (B, 5, 4, 3), base to tip, in MANO's finger order."""
    return joints[:, 1:].reshape(-1, 5, 4, 3)[:, list(MANO_FINGERS)]


def _rotate(rotations: Tensor, vectors: Tensor) -> Tensor:
    """Vectors (..., 3) turned by rotations (..., 3, 3)."""
    turned: Tensor = (rotations @ vectors.unsqueeze(-1)).squeeze(-1)
    return turned


def _smallest_turn(source: Tensor, wanted: Tensor) -> Tensor:
    """The rotation (..., 3, 3) by the smallest angle that points one vector along another.

    The axis is their normalised cross product. Where they are parallel it is the identity;
    where they are opposed, half a turn about any axis across.
    """
    a = source / source.norm(dim=-1, keepdim=True).clamp_min(SMALLEST)
    b = wanted / wanted.norm(dim=-1, keepdim=True).clamp_min(SMALLEST)
    cross = torch.linalg.cross(a, b)
    sine = cross.norm(dim=-1, keepdim=True)
    cosine = (a * b).sum(dim=-1, keepdim=True)
    parallel = sine < 1e-6
    axis = torch.where(parallel, _any_across(a), cross / sine.clamp_min(SMALLEST))
    sine = torch.where(parallel, torch.zeros_like(sine), sine)
    skew = _skew(axis)
    turn: Tensor = sine[..., None] * skew + (1 - cosine)[..., None] * (skew @ skew)
    return _identity(skew) + turn


def _any_across(unit: Tensor) -> Tensor:
    """A unit vector (..., 3) across each unit vector."""
    across: Tensor = torch.linalg.cross(unit, _identity(unit)[unit.abs().argmin(dim=-1)])
    length: Tensor = across.norm(dim=-1, keepdim=True)
    return across / length


def _skew(axis: Tensor) -> Tensor:
    """The matrix (..., 3, 3) whose product with a vector is the axis' cross product with it."""
    x, y, z = axis.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [(zero, -z, y), (z, zero, -x), (-y, x, zero)]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _identity(like: Tensor) -> Tensor:
    """The identity (3, 3) in the type and on the device of a tensor."""
    return torch.eye(3, dtype=like.dtype, device=like.device)
