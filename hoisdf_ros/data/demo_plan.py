"""The demo's programme: which hand shows which object when, how it moves and looks."""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import MIRROR, NUM_BETAS, Side
from hoisdf_ros.data.arm import Colour, as_colour, skin_tone
from hoisdf_ros.data.backdrop import Backdrop, random_backdrop
from hoisdf_ros.data.grasp import GraspSynthesiser
from hoisdf_ros.data.motion import Motion, random_motion
from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.geometry.mesh import mirrored, transform
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid

_DURATION_S = 5.0
_PAUSE_S, _LONG_PAUSE_S = 0.2, 1.2
_EMPTY_EVERY, _LEFT_EVERY, _LONG_PAUSE_EVERY = 5, 4, 3
_EMPTY_BREATH, _HOLDING_BREATH, _BREATH_S = 1.0, 0.06, 2.5
_GRID_M, _GRID_MARGIN_M = 0.005, 0.012  # coarse, to start fast; a grip needs no more


@dataclass(frozen=True, eq=False)
class Held:
    """An object in the hand.

    Args:
        object_id: Its name.
        rotation: (3, 3) hand-from-mesh.
        translation: (3,) origin of the mesh in the frame of the hand, metres.
    """

    object_id: str
    rotation: Array
    translation: Array


@dataclass(frozen=True, eq=False)
class Segment:
    """A few seconds of one hand.

    Poses are those of the hand's own side; ``motion`` and ``middle`` are those of a right hand
    and to be mirrored for a left one.

    Args:
        start: When it begins, seconds.
        side: The hand's side.
        betas: (10,) its shape.
        closed, open: (16, 3) rotation vectors between which the fingers move, radians.
        breath: How far the fingers open, as a share of the way from closed to open.
        held: The object, or None.
        middle: (3,) of hand and object, metres, right hand's frame.
        motion: The way through the picture.
        wrist_bend: (3,) rotation vector of the forearm against a right hand, radians.
        skin, sleeve: Colours, red, green, blue in [0, 1].
        backdrop: What is behind.
    """

    start: float
    side: Side
    betas: Array
    closed: Array
    open: Array
    breath: float
    held: Held | None
    middle: Array
    motion: Motion
    wrist_bend: Array
    skin: Colour
    sleeve: Colour
    backdrop: Backdrop

    def pose(self, time: float) -> Array:
        """(16, 3) rotation vectors so many seconds after its start."""
        opening = self.breath * (0.5 - 0.5 * np.cos(2 * np.pi * time / _BREATH_S))
        pose: Array = self.closed + opening * (self.open - self.closed)
        return pose


@dataclass(frozen=True, eq=False)
class Plan:
    """All segments, in order, and the time after which they start again."""

    segments: tuple[Segment, ...]
    period: float


class Planner:
    """Makes a plan; the same seed makes the same plan.

    Args:
        camera: In whose picture the hands stay.
        hand: Makes the grasps.
        objects: Meshes by object id.
        seed: Of all chance.
    """

    def __init__(
        self, camera: Camera, hand: GraspSynthesiser, objects: dict[str, Mesh], seed: int
    ) -> None:
        self._camera, self._hand, self._objects = camera, hand, objects
        self.grids: dict[str, SignedDistanceGrid] = {}
        """Distance to each mesh that a plan has used, in the mesh frame."""
        self._rng = np.random.default_rng(seed)

    def plan(self) -> Plan:
        """Every object once, empty hands and pauses between them, in an order by chance."""
        names: list[str | None] = [str(n) for n in self._rng.permutation(list(self._objects))]
        for place in range(_EMPTY_EVERY - 1, len(names) + len(names) // _EMPTY_EVERY, _EMPTY_EVERY):
            names.insert(place, None)
        segments, start = [], 0.0
        for index, name in enumerate(names):
            left = index % _LEFT_EVERY == _LEFT_EVERY - 2
            segments.append(self._segment(start, Side.LEFT if left else Side.RIGHT, name))
            long = index % _LONG_PAUSE_EVERY == _LONG_PAUSE_EVERY - 1
            start += _DURATION_S + (_LONG_PAUSE_S if long else _PAUSE_S)
        return Plan(tuple(segments), start)

    def _segment(self, start: float, side: Side, object_id: str | None) -> Segment:
        rng, betas = self._rng, np.zeros(NUM_BETAS)
        betas[:4] = rng.normal(scale=0.6, size=4)
        gesture = self._empty(betas) if object_id is None else self._hold(object_id, side, betas)
        middle = (gesture.cloud.min(axis=0) + gesture.cloud.max(axis=0)) / 2
        radius = float(np.linalg.norm(gesture.cloud - middle, axis=1).max())
        turns = -np.diag(MIRROR) if side is Side.LEFT else np.ones(3)  # axes are pseudovectors
        skin = skin_tone(rng)
        return Segment(
            start=start,
            side=side,
            betas=betas,
            closed=gesture.closed * turns,
            open=self._hand.open_pose() * turns,
            breath=gesture.breath,
            held=gesture.held,
            middle=middle,
            motion=random_motion(self._camera, radius, _DURATION_S, rng),
            wrist_bend=np.radians(rng.normal(scale=(0.0, 5.0, 8.0))),
            skin=skin,
            sleeve=as_colour(rng.uniform(0.1, 0.8, size=3)),
            backdrop=random_backdrop(self._camera, rng),
        )

    def _empty(self, betas: Array) -> "_Gesture":
        """A hand that closes and opens without an object."""
        closed = self._hand.curled_pose(self._rng.uniform(0.3, 0.9, size=5))
        return _Gesture(closed, _EMPTY_BREATH, None, self._skin(closed, betas))

    def _hold(self, object_id: str, side: Side, betas: Array) -> "_Gesture":
        """A grasp; that of a left hand is made in the mirror."""
        mesh = self._objects[object_id]
        grid = self.grids[object_id] = SignedDistanceGrid.of(mesh, _GRID_M, _GRID_MARGIN_M)
        if side is Side.LEFT:
            mesh, grid = mirrored(mesh), grid.mirrored()
        grasp = self._hand.synthesise(mesh, grid, betas, self._rng, tries=3)
        shape = transform(mesh.vertices, grasp.object_rotation, grasp.object_translation)
        cloud = np.concatenate([self._skin(grasp.closed, betas), shape])
        own = grasp.mirrored() if side is Side.LEFT else grasp
        held = Held(object_id, own.object_rotation, own.object_translation)
        return _Gesture(grasp.closed, _HOLDING_BREATH, held, cloud)

    def _skin(self, closed: Array, betas: Array) -> Array:
        poses = np.stack([closed, self._hand.open_pose()])
        return self._hand.vertices(poses, betas).reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class _Gesture:
    """What a right hand, or a left one in the mirror, does; the object as held in truth.

    Args:
        closed: (16, 3) rotation vectors, radians.
        breath: How far the fingers open.
        held: The object, or None.
        cloud: (N, 3) what must be in the picture, metres, frame of the right hand.
    """

    closed: Array
    breath: float
    held: Held | None
    cloud: Array
