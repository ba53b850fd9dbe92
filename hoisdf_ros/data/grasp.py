"""Plausible grasps: the palm meets the object, then fingers and thumb close until they touch it.

Everything is in the hand frame: the axes of the right hand's zero pose around its wrist, fingers
along -x, palm facing -y, thumb towards +z.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hoisdf_ros.conventions import MIRROR, NUM_BETAS, NUM_MANO_JOINTS, Side
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import HoisdfError, MeshError
from hoisdf_ros.geometry.mesh import face_normals, sample_surface
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid
from hoisdf_ros.hand_model.mano import HandModel

_FINGERS = (1, 4, 7, 10)  # first MANO joint of index, middle, little and ring finger
_THUMB = 13
_OPEN = np.radians([6.0, 10.0, 6.0])  # of the three joints of a finger held open
_CURL = np.radians([75.0, 85.0, 45.0])  # when they bend together
_LIMIT = np.radians([90.0, 105.0, 70.0])
_THUMB_LIMIT = np.radians([75.0, 50.0, 60.0])
_THUMB_CURL = np.radians([20.0, 25.0, 30.0])
_THUMB_DIRECTION = np.array([0.2, -0.8, 0.55])  # held off, across from the fingers
_STEPS = 14
_SKIN_M = 0.001  # gap at which skin counts as touching; the mesh is coarser than skin
_TOUCH_M = 0.004
_THICKEST_M = 0.105
_CENTRE = np.array([-0.08, 0.0, 0.0])  # of the part that is gripped, but for its distance


@dataclass(frozen=True, eq=False)
class Grasp:
    """A hand's pose around an object, and the way to it.

    Args:
        closed: (16, 3) rotation vectors of MANO's joints, the wrist's zero, radians.
        open: (16, 3) the same with the fingers held off the object.
        betas: (10,) shape of the hand.
        object_rotation: (3, 3) hand-from-mesh.
        object_translation: (3,) origin of the mesh in the hand frame, metres.
        touching: (5,) bool, index, middle, little, ring finger and thumb touch the object.
        deep_share: Share of the hand's vertices more than 5 mm inside the object.
    """

    closed: Array
    open: Array
    betas: Array
    object_rotation: Array
    object_translation: Array
    touching: NDArray[np.bool_]
    deep_share: float

    def pose(self, opening: float) -> Array:
        """(16, 3) rotation vectors between closed (opening 0) and open (1)."""
        if not 0.0 <= opening <= 1.0:
            raise HoisdfError(f"opening {opening}: expected 0 (closed) to 1 (open)")
        between: Array = self.closed + opening * (self.open - self.closed)
        return between

    def mirrored(self) -> "Grasp":
        """The same grasp by a left hand, of the mirror image of the object.

        So a left hand's grasp of an object is that of the mirrored object, mirrored.
        """
        turns = -np.diag(MIRROR)  # an axis of rotation is a pseudovector
        return replace(
            self,
            closed=self.closed * turns,
            open=self.open * turns,
            object_rotation=MIRROR @ self.object_rotation @ MIRROR,
            object_translation=MIRROR @ self.object_translation,
        )


@dataclass(frozen=True, eq=False)
class _Placement:
    """Where the object lies in the hand, and what the fingers feel there."""

    rotation: Array
    translation: Array
    distance: SignedDistanceGrid

    def __call__(self, points: Array) -> Array:
        """(...) signed distance of (..., 3) points of the hand frame, metres."""
        return self.distance((points - self.translation) @ self.rotation)


class GraspSynthesiser:
    """Makes grasps for one hand model.

    Args:
        model: A right hand.
        bend_axes: (16, 3) axes about which its joints bend; positive angles close.

    Raises:
        HoisdfError: The hand is not a right one; mirror the result for a left hand.
    """

    def __init__(self, model: HandModel, bend_axes: Array) -> None:
        if model.side is not Side.RIGHT:
            raise HoisdfError(
                f"grasps are made for a RIGHT hand, not {model.side.name}; mirror the grasp instead"
            )
        self._model = model
        self._axes = bend_axes
        self._segment = model.arrays.weights.argmax(axis=1)  # joint each vertex moves with

    def vertices(self, poses: Array, betas: Array) -> Array:
        """(S, 778, 3) metres, hand frame, of (S, 16, 3) rotation vectors."""
        rotations = torch.from_numpy(matrix_from_rotation_vector(poses)).float()
        shape = torch.from_numpy(betas).float().expand(len(poses), NUM_BETAS)
        with torch.no_grad():
            vertices: Array = self._model(rotations, shape).vertices.numpy().astype(float)
        return vertices

    def open_pose(self) -> Array:
        """(16, 3) rotation vectors of the open hand, thumb held off."""
        return self.curled_pose(np.zeros(5))

    def curled_pose(self, shares: Array) -> Array:
        """A hand without an object.

        Args:
            shares: (5,) how far index, middle, little, ring finger and thumb are bent, from 0
                (open) to 1.

        Returns:
            (16, 3) rotation vectors of MANO's joints, the wrist's zero, radians.
        """
        pose = np.zeros((NUM_MANO_JOINTS, 3))
        angles = _OPEN + shares[:4, None] * (_CURL - _OPEN)
        for finger, base in enumerate(_FINGERS):
            pose[base : base + 3] = self._axes[base : base + 3] * angles[finger, :, None]
        pose[_THUMB : _THUMB + 3] = self._thumb_rotations(shares[4] * _THUMB_CURL)
        return pose

    def synthesise(
        self,
        mesh: Mesh,
        distance: SignedDistanceGrid,
        betas: Array,
        rng: np.random.Generator,
        tries: int = 4,
    ) -> Grasp:
        """Grip the object at random places and keep the best grip.

        Args:
            mesh: The object.
            distance: Its signed distance.
            betas: (10,) shape of the hand.
            rng: Where the chance comes from.
            tries: Grips to choose from.

        Raises:
            MeshError: No part of the object is thin enough to be gripped.
        """
        rest = self.vertices(self.open_pose()[None], betas)[0]
        grips = [self._grip(mesh, distance, betas, rest, rng) for _ in range(tries)]
        return max(grips, key=_quality)

    def _grip(
        self,
        mesh: Mesh,
        distance: SignedDistanceGrid,
        betas: Array,
        rest: Array,
        rng: np.random.Generator,
    ) -> Grasp:
        placement = self._place(mesh, distance, rest, rng)
        pose = self._close_fingers(placement, betas)
        pose = self._close_thumb(pose, placement, betas)
        inside = placement(self.vertices(pose[None], betas)[0])
        nearest = [inside[self._part(base, 0)].min() for base in (*_FINGERS, _THUMB)]
        return Grasp(
            closed=pose,
            open=self.open_pose(),
            betas=betas,
            object_rotation=placement.rotation,
            object_translation=placement.translation,
            touching=np.array(nearest) < _TOUCH_M,
            deep_share=float((inside < -0.005).mean()),
        )

    def _part(self, base: int, joint: int) -> NDArray[np.bool_]:
        """(778,) vertices that move with the finger's joint (0 to 2) or one farther out."""
        part: NDArray[np.bool_] = (self._segment >= base + joint) & (self._segment < base + 3)
        return part

    def _place(
        self, mesh: Mesh, distance: SignedDistanceGrid, rest: Array, rng: np.random.Generator
    ) -> _Placement:
        """Lay a part of the object between fingers and thumb and move it up to the palm."""
        centre, across, along = _graspable_part(mesh, distance, rng)
        signs = rng.choice([-1.0, 1.0], size=2)
        x, z = signs[0] * across, signs[1] * along
        tilt = matrix_from_rotation_vector(rng.normal(scale=np.radians(6.0), size=3))
        rotation = tilt @ np.stack([x, np.cross(z, x), z])  # hand-from-mesh
        place = _CENTRE + rng.normal(scale=(0.005, 0.0, 0.008))
        skin = rest[self._segment < _THUMB]
        near, far = -0.25, 0.25  # height of the gripped part over the palm: far is clear
        for _ in range(16):
            height = (near + far) / 2
            placement = _Placement(rotation, place - rotation @ centre - [0, height, 0], distance)
            if placement(skin).min() > _SKIN_M:
                far = height
            else:
                near = height
        return _Placement(rotation, place - rotation @ centre - [0, far, 0], distance)

    def _close_fingers(self, placement: _Placement, betas: Array) -> Array:
        """Curl the four fingers until they touch, then bend each joint on as far as it goes."""
        pose = self.open_pose()
        angles = np.tile(_OPEN, (4, 1))  # (finger, joint)
        for joints, goal in (((0, 1, 2), _CURL), ((0,), _LIMIT), ((1,), _LIMIT), ((2,), _LIMIT)):
            share = np.linspace(0.0, 1.0, _STEPS)[:, None, None]
            steps = np.tile(angles, (_STEPS, 1, 1))  # (step, finger, joint)
            chosen = list(joints)
            steps[:, :, chosen] += share * np.maximum(goal[chosen] - angles[:, chosen], 0.0)
            poses = np.tile(pose, (_STEPS, 1, 1))
            for finger, base in enumerate(_FINGERS):
                poses[:, base : base + 3] = self._axes[base : base + 3] * steps[:, finger, :, None]
            felt = self.vertices(poses, betas)
            for finger, base in enumerate(_FINGERS):
                clearance = placement(felt[:, self._part(base, joints[0])]).min(axis=1)
                angles[finger] = _at(steps[:, finger], _first_contact(clearance))
        for finger, base in enumerate(_FINGERS):
            pose[base : base + 3] = self._axes[base : base + 3] * angles[finger, :, None]
        return pose

    def _close_thumb(self, pose: Array, placement: _Placement, betas: Array) -> Array:
        """Turn the thumb in until it touches the object or a finger, then bend its joints."""
        angles: Array = np.zeros(3)
        hand = self.vertices(pose[None], betas)[0]
        others = cKDTree(hand[(self._segment > 0) & (self._segment < _THUMB)])
        for joint in range(3):
            steps = np.tile(angles, (_STEPS, 1))
            steps[:, joint] = np.linspace(0.0, _THUMB_LIMIT[joint], _STEPS)
            poses = np.tile(pose, (_STEPS, 1, 1))
            poses[:, _THUMB : _THUMB + 3] = [self._thumb_rotations(step) for step in steps]
            felt = self.vertices(poses, betas)[:, self._part(_THUMB, joint)]
            to_finger, _ = others.query(felt)
            clearance = np.minimum(placement(felt), to_finger - _TOUCH_M).min(axis=1)
            angles = _at(steps, _first_contact(clearance))
        closed = pose.copy()
        closed[_THUMB : _THUMB + 3] = self._thumb_rotations(angles)
        return closed

    def _thumb_rotations(self, angles: Array) -> Array:
        """(3, 3) rotation vectors of the thumb's joints, turned in by three angles.

        The first joint is a saddle: it brings the thumb across from the fingers, pulp facing
        them, and turns it in towards them from there.
        """
        arrays = self._model.arrays
        joints = arrays.joint_regressor @ arrays.v_template
        rest = joints[_THUMB + 2] - joints[_THUMB]
        start = _frame(rest, np.cross(self._axes[_THUMB], rest))
        across = _frame(_THUMB_DIRECTION, np.array([-1.0, 0.0, 0.0]))
        turn = matrix_from_rotation_vector(across[:, 2] * angles[0])
        saddle = rotation_vector_from_matrix(turn @ across @ start.T)
        bends = self._axes[_THUMB + 1 : _THUMB + 3] * angles[1:, None]
        return np.concatenate([saddle[None], bends])


def _frame(direction: Array, facing: Array) -> Array:
    """(3, 3) rotation whose columns are the direction, the facing square to it, and the third."""
    first = direction / np.linalg.norm(direction)
    second = facing - (facing @ first) * first
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def _first_contact(clearance: Array) -> float:
    """Fractional step at which (S,) clearance falls to the skin's; the last when it never does."""
    touching = np.flatnonzero(clearance <= _SKIN_M)
    if not len(touching):
        return float(len(clearance) - 1)
    step = int(touching[0])
    if step == 0:
        return 0.0
    before, after = clearance[step - 1], clearance[step]
    return float(step - 1 + (before - _SKIN_M) / (before - after))


def _at(steps: Array, step: float) -> Array:
    """Interpolate rows of (S, n) at a fractional step."""
    low = min(int(step), len(steps) - 2)
    value: Array = steps[low] + (step - low) * (steps[low + 1] - steps[low])
    return value


def _graspable_part(
    mesh: Mesh, distance: SignedDistanceGrid, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """A place where the object is thin enough for a hand, drawn at random.

    Returns:
        centre (3,) of the part, unit axis (3,) across its thickness, and unit axis (3,) along
        which it is long, all in the mesh frame.

    Raises:
        MeshError: The object is too thick everywhere.
    """
    points, faces = sample_surface(mesh, 400, rng)
    normals = face_normals(mesh.vertices, mesh.faces)[faces]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    depths = np.arange(0.006, _THICKEST_M + 0.02, 0.002)
    inside = distance(points[:, None] - depths[:, None] * normals[:, None]) < 0
    thickness = depths[np.argmin(inside, axis=1)]
    fits = np.flatnonzero(~inside.all(axis=1) & (thickness < _THICKEST_M) & (thickness > 0.01))
    if not len(fits):
        raise MeshError(
            f"mesh {mesh.path or ''} of size {mesh.size.round(3).tolist()} m is thicker than "
            f"{_THICKEST_M} m everywhere: no hand can grip it"
        )
    ease = 1.0 / thickness[fits]  # thinner parts are easier to hold
    chosen = rng.choice(fits, p=ease / ease.sum())
    across = normals[chosen]
    centre = points[chosen] - thickness[chosen] / 2 * across
    near = points[np.linalg.norm(points - centre, axis=1) < 0.08]
    flat = (near - centre) - np.outer((near - centre) @ across, across)
    along = np.linalg.svd(flat, full_matrices=False)[2][0]
    return centre, across, _frame(across, along)[:, 1]


def _quality(grasp: Grasp) -> float:
    """Fingers that touch, the thumb counting twice, less what penetrates."""
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0, 2.0)
    return float(grasp.touching @ np.array(weights)) - 60.0 * grasp.deep_share
