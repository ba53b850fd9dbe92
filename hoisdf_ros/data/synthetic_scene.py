"""One random moment in three dimensions: a camera, a hand, perhaps an object."""

import enum
from dataclasses import dataclass, replace

import numpy as np
import torch

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.synthetic_grasps import BankedGrasp, GraspBank, draw_betas
from hoisdf_ros.datatypes import Array, Camera, ManoParameters, Mesh
from hoisdf_ros.geometry.camera import backproject, project
from hoisdf_ros.geometry.mesh import box_corners, transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.poses import sample_poses
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes

WIDTH, HEIGHT, FOCAL_PX = 640, 480, 615.0
NEAREST_M, FARTHEST_M = 0.35, 0.95
"""Of the middle of hand and object, along z."""

_FOCAL_SPREAD, _CENTRE_SPREAD_PX, _ASPECT_SPREAD = 0.05, 6.0, 0.003
_HELD_SHARE, _NEAR_SHARE = 0.72, 0.14
_LEFT_SHARE = 0.25
_OPENING = 0.06  # most that a grasp is opened, share of the way
_HELD_FROM_BELOW = 0.5  # share of views in which the forearm comes from a usual direction
_ARM_TO_CAMERA = -0.6  # an arm that comes straight at the camera hides the hand
_CUT_SHARE = 0.25  # of pictures whose border may cut through the hand
_INSIDE, _INSIDE_CUT = 0.95, 0.5  # share of the joints that must lie in the picture
_CLEARANCE_M = 0.008
_CLOSEST_M = 0.15


class Kind(enum.Enum):
    """What the hand does."""

    HELD = "holds an object"
    NEAR = "an object lies beside it"
    EMPTY = "no object"


@dataclass(frozen=True, eq=False)
class PlacedObject:
    """An object where it is.

    Args:
        object_id: Its name.
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) metres, camera frame.
    """

    object_id: str
    rotation: Array
    translation: Array


@dataclass(frozen=True, eq=False)
class Moment:
    """What is where, before anything about looks.

    Args:
        camera: The camera.
        side: The hand's side.
        mano: Parameters of the stand-in hand of this side.
        vertices: (778, 3) metres, camera frame.
        joints: (21, 3) metres, camera frame, our order.
        thing: The object, or None.
    """

    camera: Camera
    side: Side
    mano: ManoParameters
    vertices: Array
    joints: Array
    thing: PlacedObject | None


def draw_kind(rng: np.random.Generator) -> Kind:
    """Mostly holding."""
    chance = rng.uniform()
    if chance < _HELD_SHARE:
        return Kind.HELD
    return Kind.NEAR if chance < _HELD_SHARE + _NEAR_SHARE else Kind.EMPTY


def draw_camera(rng: np.random.Generator) -> Camera:
    """About what a RealSense has, never the same twice."""
    focal = FOCAL_PX * np.exp(rng.normal(scale=_FOCAL_SPREAD))
    aspect = 1.0 + rng.normal(scale=_ASPECT_SPREAD)
    shift = rng.normal(scale=_CENTRE_SPREAD_PX, size=2)
    cx, cy = (WIDTH - 1) / 2 + shift[0], (HEIGHT - 1) / 2 + shift[1]
    return Camera(float(focal), float(focal * aspect), float(cx), float(cy), WIDTH, HEIGHT)


class SceneMaker:
    """Draws moments.

    Args:
        bank: Where grasps come from.
        meshes: The objects, by id.
    """

    def __init__(self, bank: GraspBank, meshes: dict[str, Mesh]) -> None:
        self._bank, self._meshes = bank, meshes
        right = HandModel(load_stand_in(Side.RIGHT))
        self._hands = {Side.RIGHT: right, Side.LEFT: right.mirrored()}
        self._axes = load_stand_in_bend_axes(Side.RIGHT)

    def draw(self, kind: Kind, rng: np.random.Generator) -> Moment | None:
        """A moment; None when chance put the hand out of the picture or into the lens."""
        camera = draw_camera(rng)
        grip = self._bank[int(rng.integers(len(self._bank)))]
        if kind is Kind.HELD:
            side, betas = grip.side, grip.grasp.betas
            pose = grip.grasp.pose(float(rng.uniform(0.0, _OPENING)))
        else:
            side = Side.LEFT if rng.uniform() < _LEFT_SHARE else Side.RIGHT
            betas, pose = draw_betas(rng), self.free_pose(side, rng)
        vertices, joints = self.hand(side, pose, betas)
        thing = self._thing(kind, grip, vertices, side, rng)
        cloud = vertices if thing is None else np.concatenate([vertices, self.cloud(thing)])
        rotation = draw_view(side, rng)
        cut = rng.uniform() < _CUT_SHARE
        wrist = _place(cloud @ rotation.T, camera, rng, cut=cut)
        mano = ManoParameters(rotation_vector_from_matrix(rotation), pose[1:].ravel(), betas, wrist)
        if thing is not None:
            turn, place = rotation @ thing.rotation, rotation @ thing.translation + wrist
            thing = replace(thing, rotation=turn, translation=place)
        moment = Moment(
            camera,
            side,
            mano,
            transform(vertices, rotation, wrist),
            transform(joints, rotation, wrist),
            thing,
        )
        nearest = float((cloud @ rotation[2]).min() + wrist[2])
        return moment if nearest > _CLOSEST_M and _in_picture(moment, cut=cut) else None

    def free_pose(self, side: Side, rng: np.random.Generator) -> Array:
        """(16, 3) rotation vectors of a hand that holds nothing."""
        pose: Array = sample_poses(self._axes, 1, rng)[0]
        turns = -np.diag(MIRROR) if side is Side.LEFT else np.ones(3)  # axes are pseudovectors
        return pose * turns

    def hand(self, side: Side, pose: Array, betas: Array) -> tuple[Array, Array]:
        """Vertices (778, 3) and joints (21, 3) in the frame of the hand, metres."""
        rotations = torch.from_numpy(matrix_from_rotation_vector(pose)[None]).float()
        with torch.no_grad():
            posed = self._hands[side](rotations, torch.from_numpy(betas[None]).float())
        return posed.vertices[0].numpy().astype(float), posed.joints[0].numpy().astype(float)

    def cloud(self, thing: PlacedObject) -> Array:
        """(8, 3) corners of the box around an object, metres, the frame it is placed in."""
        corners = box_corners(self._meshes[thing.object_id].vertices)
        return transform(corners, thing.rotation, thing.translation)

    def _thing(
        self,
        kind: Kind,
        grip: BankedGrasp,
        vertices: Array,
        side: Side,
        rng: np.random.Generator,
    ) -> PlacedObject | None:
        """The object in the frame of the hand."""
        if kind is Kind.HELD:
            grasp = grip.grasp
            return PlacedObject(grip.object_id, grasp.object_rotation, grasp.object_translation)
        if kind is Kind.EMPTY:
            return None
        return self._beside(vertices, side, rng)

    def _beside(self, vertices: Array, side: Side, rng: np.random.Generator) -> PlacedObject:
        """An object near the fingers that the hand does not touch."""
        name = str(rng.choice(list(self._meshes)))
        shape = self._meshes[name].vertices
        rotation = random_rotation(rng)
        forearm = -1.0 if side is Side.LEFT else 1.0
        away = _unit(rng.normal(size=3))
        away[0] = -forearm * abs(away[0])  # beside the fingers rather than the forearm
        middle = vertices.mean(axis=0) - rotation @ (shape.max(axis=0) + shape.min(axis=0)) / 2
        low, high = shape.min(axis=0) - _CLEARANCE_M, shape.max(axis=0) + _CLEARANCE_M
        for step in np.arange(0.04, 0.5, 0.01):
            place = middle + step * away
            inside = (vertices - place) @ rotation
            if not ((inside > low) & (inside < high)).all(axis=1).any():
                break
        return PlacedObject(name, rotation, place)


def random_rotation(rng: np.random.Generator) -> Array:
    """(3, 3) any rotation is as likely as any other."""
    x, y = _unit(rng.normal(size=3)), rng.normal(size=3)
    y = _unit(y - (y @ x) * x)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def draw_view(side: Side, rng: np.random.Generator) -> Array:
    """(3, 3) camera-from-hand: half from anywhere, half as people hold things up to a camera."""
    while True:
        rotation = random_rotation(rng)
        if rng.uniform() < _HELD_FROM_BELOW:
            lean, tilt = rng.normal(scale=np.radians(50)), np.radians(rng.uniform(-35, 35))
            rotation = with_forearm(side, forearm_direction(lean, tilt), rotation[:, 2])
        forearm = rotation[:, 0] * (-1.0 if side is Side.LEFT else 1.0)
        if forearm[2] > _ARM_TO_CAMERA:
            return rotation


def forearm_direction(lean: float, tilt: float) -> Array:
    """(3,) unit direction from the wrist down the forearm, camera frame.

    Args:
        lean: From straight down towards the right of the picture, radians.
        tilt: Away from the camera, radians.
    """
    return np.array([np.sin(lean) * np.cos(tilt), np.cos(lean) * np.cos(tilt), np.sin(tilt)])


def with_forearm(side: Side, forearm: Array, thumb: Array) -> Array:
    """(3, 3) camera-from-hand with the forearm in a direction.

    Args:
        side: The hand's side.
        forearm: (3,) unit direction from the wrist.
        thumb: (3,) where a right hand's thumb points, about; a left one's points away from it.
    """
    z = _unit(thumb - (thumb @ forearm) * forearm)
    rotation = np.stack([forearm, np.cross(z, forearm), z], axis=1)
    if side is Side.LEFT:  # its forearm goes along -x
        rotation = rotation @ np.diag([-1.0, 1.0, -1.0])
    return rotation


def _place(cloud: Array, camera: Camera, rng: np.random.Generator, *, cut: bool) -> Array:
    """(3,) wrist, metres, so that the middle of (N, 3) points around it is somewhere in view."""
    middle = (cloud.min(axis=0) + cloud.max(axis=0)) / 2
    depth = float(rng.uniform(NEAREST_M, FARTHEST_M))
    size = np.array([camera.width, camera.height])
    half = (cloud.max(axis=0) - middle)[:2] * camera.fx / depth
    room = size / 2 if cut else np.maximum(size / 2 - half - 8, 0.06 * size)
    uv = (size - 1) / 2 + rng.uniform(-1, 1, size=2) * room
    wrist: Array = backproject(uv, depth, camera) - middle
    return wrist


def _in_picture(moment: Moment, *, cut: bool) -> bool:
    """Whether enough of the hand's joints are in the picture."""
    pixels = project(moment.joints, moment.camera)
    size = np.array([moment.camera.width, moment.camera.height])
    inside = ((pixels >= 0) & (pixels <= size - 1)).all(axis=1)
    return float(np.mean(inside)) >= (_INSIDE_CUT if cut else _INSIDE)
