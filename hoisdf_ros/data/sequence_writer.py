"""Stories by chance, one way of telling each kind of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.motion import room
from hoisdf_ros.data.sequence_path import Path, draw_sway, still
from hoisdf_ros.data.sequence_sight import share_in_sight, surface_points
from hoisdf_ros.data.sequence_story import Actor, Prop, Story, StoryKind, cloud_of, moment_of
from hoisdf_ros.data.sequence_table import beside, draw_table, lain, palm_down
from hoisdf_ros.data.synthetic_grasps import BankedGrasp, GraspBank, draw_betas
from hoisdf_ros.data.synthetic_scene import (
    PlacedObject,
    SceneMaker,
    draw_camera,
    draw_view,
    forearm_direction,
    random_rotation,
    with_forearm,
)
from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

_NEAR_M, _FAR_M = 0.42, 0.8
_CLOSEST_M = 0.15
_OPENING = 0.06  # as in single pictures
_LEFT_SHARE, _HELD_SHARE = 0.35, 0.5
_POSES = 3  # that an empty hand goes through
_INSIDE = 0.9  # share of the joints that stay in the picture
_CHECKS = 13  # moments at which a story is looked at
_DRAWS = 500
_IN_SIGHT = 0.6  # share of a hand that what it holds must not hide
_HIDDEN = 0.6  # share that is left of it when the object comes in front
_THERE = {kind: 0.4 if kind is StoryKind.ENTERING else 0.0 for kind in StoryKind}
"""Share of a story's time at which the hand is there and to be seen."""

_LEAST_SPIN_RAD, _MOST_SPIN_RAD = 1.0, 2.8


@dataclass(frozen=True, eq=False)
class _Gesture:
    """A hand's shape and what it holds, before it is anywhere.

    Args:
        side, betas, times, poses, held: As in `Actor`.
        skin: (K * 778, 3) the hand in its poses, metres, its own frame.
        middle: (3,) of the hand in its poses and the object, likewise.
        radius: Of a ball around ``middle`` that holds them all, metres.
    """

    side: Side
    betas: Array
    times: Array
    poses: Array
    held: PlacedObject | None
    skin: Array
    middle: Array
    radius: float

    def on(self, path: Path) -> Actor:
        """The hand on its way."""
        return Actor(self.side, self.betas, self.times, self.poses, self.held, self.middle, path)


class StoryWriter:
    """Draws stories.

    Args:
        bank: Where grasps come from.
        meshes: The objects, by id.
        maker: Knows the shape of hands.
    """

    def __init__(self, bank: GraspBank, meshes: dict[str, Mesh], maker: SceneMaker) -> None:
        self._bank, self._meshes, self._maker = bank, meshes, maker
        self._surfaces: dict[str, Array] = {}
        self._named = [name for name in meshes if not name.startswith("shape_")]
        self._ways: dict[StoryKind, Callable[[float, np.random.Generator], Story | None]] = {
            StoryKind.MOVING: self._moving,
            StoryKind.ENTERING: self._entering,
            StoryKind.CROSSING: self._crossing,
            StoryKind.EMPTY: self._empty,
            StoryKind.NEAR: self._near,
            StoryKind.OCCLUDED: self._occluded,
            StoryKind.REST: self._rest,
        }

    def write(self, kind: StoryKind, seconds: float, rng: np.random.Generator) -> Story | None:
        """A story; None when chance led a hand out of the picture, or into something.

        Args:
            kind: What it is about.
            seconds: How long it is.
            rng: Where the chance comes from.

        Raises:
            DataError: The bank has no grasp of the side that is needed.
        """
        story = self._ways[kind](seconds, rng)
        if story is None or not self._can_be_seen(story) or not self._goes_well(story):
            return None
        return story

    def _moving(self, seconds: float, rng: np.random.Generator) -> Story:
        camera, hand = draw_camera(rng), self._holding(self._side(rng), rng)
        path = _wander(camera, hand, seconds, rng)
        return Story(StoryKind.MOVING, camera, seconds, (hand.on(path),))

    def _empty(self, seconds: float, rng: np.random.Generator) -> Story:
        camera, hand = draw_camera(rng), self._free(self._side(rng), seconds, rng)
        path = _wander(camera, hand, seconds, rng)
        return Story(StoryKind.EMPTY, camera, seconds, (hand.on(path),))

    def _rest(self, seconds: float, rng: np.random.Generator) -> Story:
        camera, hand = draw_camera(rng), self._holding(self._side(rng), rng)
        path = still(draw_view(hand.side, rng), _somewhere(camera, hand.radius, rng))
        return Story(StoryKind.REST, camera, seconds, (hand.on(path),))

    def _entering(self, seconds: float, rng: np.random.Generator) -> Story:
        camera = draw_camera(rng)
        hand = self._any(self._side(rng), seconds, rng)
        forearm = forearm_direction(rng.normal(scale=0.9), np.radians(rng.uniform(-10, 35)))
        rotation = with_forearm(hand.side, forearm, random_rotation(rng)[:, 2])
        inside, sway = _somewhere(camera, hand.radius, rng), draw_sway(rng)
        cloud = (self._cloud(hand) - hand.middle) @ rotation.T + inside
        way = np.array([*forearm[:2], 0.0]) / np.linalg.norm(forearm[:2])
        outside = inside + way * _way_out(cloud, way, camera, sway.reach)
        shares = np.array([0.1, 0.3, 0.55, 0.75, 0.8, 1.0])
        places = np.stack([outside, inside, inside, outside, outside, inside])
        path = Path(rotation, seconds * shares, places, np.zeros(len(shares)), sway=sway)
        return Story(StoryKind.ENTERING, camera, seconds, (hand.on(path),))

    def _crossing(self, seconds: float, rng: np.random.Generator) -> Story:
        """One hand in front of the other, its arm towards the camera, the other's away."""
        camera, order = draw_camera(rng), rng.permutation([Side.LEFT, Side.RIGHT])
        hands = [self._any(Side(int(side)), seconds, rng) for side in order]
        sways = [draw_sway(rng) for _ in hands]
        fits = max(hands[0].radius + sways[0].reach + 0.16, _NEAR_M)
        depth = fits + rng.uniform(0.0, 0.05)
        apart = sum(h.radius for h in hands) + sum(s.reach for s in sways) + 0.01
        side, y = float(rng.choice([-1.0, 1.0])), rng.uniform(-0.03, 0.05)
        shares = np.array([0.1, 0.45, 0.55, 0.9])
        actors = []
        for number, (hand, sway) in enumerate(zip(hands, sways, strict=True)):
            tilt = np.radians(rng.uniform(-30, -5) if number == 0 else rng.uniform(5, 30))
            forearm = forearm_direction(rng.normal(scale=0.4), tilt)
            rotation = with_forearm(hand.side, forearm, random_rotation(rng)[:, 2])
            z = depth + number * apart
            free = np.maximum(room(camera, hand.radius, z), 0.04 * z)
            x = side * (1 - 2 * number) * free[0] * rng.uniform(0.7, 1.0)
            ends = np.array([[x, y, z], [-x, y, z]])
            path = Path(rotation, seconds * shares, ends[[0, 1, 1, 0]], np.zeros(4), sway=sway)
            actors.append(hand.on(path))
        return Story(StoryKind.CROSSING, camera, seconds, tuple(actors))

    def _near(self, seconds: float, rng: np.random.Generator) -> Story | None:
        camera, hand = draw_camera(rng), self._free(self._side(rng), seconds, rng, poses=1)
        table = draw_table(rng)
        thing = lain(str(rng.choice(self._named)), self._meshes, table, rng)
        rotation = palm_down(hand.side, table, rng)
        skin = (self._cloud(hand) - hand.middle) @ rotation.T
        shape = transform(self._meshes[thing.object_id].vertices, thing.rotation, thing.translation)
        place, away = beside(skin, shape, table, rng)
        places = place + np.array([0.0, 0.06, 0.0, 0.03, 0.0])[:, None] * away
        times = seconds * np.array([0.1, 0.35, 0.6, 0.8, 1.0])
        path = Path(rotation, times, places, np.zeros(len(times)))
        prop = Prop(thing.object_id, 1.0, still(thing.rotation, thing.translation), hides=False)
        return Story(StoryKind.NEAR, camera, seconds, (hand.on(path),), (prop,), table)

    def _occluded(self, seconds: float, rng: np.random.Generator) -> Story | None:
        camera, hand = draw_camera(rng), self._holding(self._side(rng), rng)
        rotation, place = draw_view(hand.side, rng), _somewhere(camera, hand.radius, rng)
        if rng.uniform() < 0.5:
            return self._hidden_by_its_own(camera, hand, still(rotation, place), seconds, rng)
        path = Path(rotation, np.zeros(1), place[None], np.zeros(1), sway=draw_sway(rng))
        prop = self._passing(camera, hand, place, seconds, rng)
        return Story(StoryKind.OCCLUDED, camera, seconds, (hand.on(path),), (prop,))

    def _hidden_by_its_own(
        self, camera: Camera, hand: _Gesture, start: Path, seconds: float, rng: np.random.Generator
    ) -> Story | None:
        """The hand turns about its forearm until the object is in front, and back."""
        if hand.held is None:
            return None
        rotation, place = start.at(0.0)
        axis = rotation[:, 0]
        towards = rotation @ (self._maker.cloud(hand.held).mean(axis=0) - hand.skin.mean(axis=0))
        towards = towards - (towards @ axis) * axis
        facing = -np.array([0.0, 0.0, 1.0]) + axis[2] * axis
        spin = float(np.arctan2(np.cross(towards, facing) @ axis, towards @ facing))
        if not _LEAST_SPIN_RAD < abs(spin) < _MOST_SPIN_RAD:
            return None
        times = seconds * np.array([0.1, 0.4, 0.6, 0.9])
        angles, places = spin * np.array([0.0, 1.0, 1.0, 0.0]), np.tile(place, (4, 1))
        path = Path(rotation, times, places, angles, axis, draw_sway(rng))
        return Story(StoryKind.OCCLUDED, camera, seconds, (hand.on(path),))

    def _passing(
        self, camera: Camera, hand: _Gesture, place: Array, seconds: float, rng: np.random.Generator
    ) -> Prop:
        """Something that comes from one side, stays before the hand and leaves on the other."""
        held = None if hand.held is None else hand.held.object_id
        name = str(rng.choice([name for name in self._named if name != held]))
        vertices = self._meshes[name].vertices
        middle = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
        thin, wide, _ = np.sort(self._meshes[name].size) / 2
        turn = _broadside(self._meshes[name].size, rng)
        nearest = float(place[2]) - hand.radius
        z = nearest * rng.uniform(0.55, 0.7)
        scale = hand.radius * z / place[2] * rng.uniform(0.75, 1.05) / wide
        scale = min(scale, 0.5 * (nearest - z) / thin)
        before = place * (z / place[2])
        half = scale * float(np.linalg.norm(self._meshes[name].size)) / 2
        beyond = z * camera.width / camera.fx / 2 + half + 0.02
        side = float(rng.choice([-1.0, 1.0]))
        centres = np.tile(before, (4, 1))
        centres[[0, 3], 0] = side * beyond, -side * beyond
        times = seconds * np.array([0.1, 0.4, 0.6, 0.9])
        places = centres - scale * turn @ middle
        return Prop(name, scale, Path(turn, times, places, np.zeros(4)), hides=True)

    def _side(self, rng: np.random.Generator) -> Side:
        return Side.LEFT if rng.uniform() < _LEFT_SHARE else Side.RIGHT

    def _any(self, side: Side, seconds: float, rng: np.random.Generator) -> _Gesture:
        """A hand that holds something, or not."""
        if rng.uniform() < _HELD_SHARE:
            return self._holding(side, rng)
        return self._free(side, seconds, rng)

    def _holding(self, side: Side, rng: np.random.Generator) -> _Gesture:
        """A grasp, kept all the time, of an object that has a name."""
        grip = self._grip(side, rng)
        grasp = grip.grasp
        held = PlacedObject(grip.object_id, grasp.object_rotation, grasp.object_translation)
        pose = grasp.pose(float(rng.uniform(0.0, _OPENING)))
        return self._gesture(side, grasp.betas, np.zeros(1), pose[None], held)

    def _grip(self, side: Side, rng: np.random.Generator) -> BankedGrasp:
        for _ in range(_DRAWS):
            grip = self._bank[int(rng.integers(len(self._bank)))]
            if grip.side is side and grip.object_id in self._named:
                return grip
        raise DataError(
            f"{len(self._bank)} grasps hold no {side.name} one of a named object: make more of them"
        )

    def _free(
        self, side: Side, seconds: float, rng: np.random.Generator, poses: int = _POSES
    ) -> _Gesture:
        """An empty hand whose fingers move from pose to pose."""
        betas = draw_betas(rng)
        drawn = np.stack([self._maker.free_pose(side, rng) for _ in range(poses)])
        return self._gesture(
            side, betas, seconds * np.linspace(0.0, 1.0, poses, dtype=np.float64), drawn, None
        )

    def _gesture(
        self, side: Side, betas: Array, times: Array, poses: Array, held: PlacedObject | None
    ) -> _Gesture:
        skin = np.concatenate([self._maker.hand(side, pose, betas)[0] for pose in poses])
        cloud = skin if held is None else np.concatenate([skin, self._maker.cloud(held)])
        middle = (cloud.min(axis=0) + cloud.max(axis=0)) / 2
        radius = float(np.linalg.norm(cloud - middle, axis=1).max())
        return _Gesture(side, betas, times, poses, held, skin, middle, radius)

    def _cloud(self, hand: _Gesture) -> Array:
        """(N, 3) points of the hand and what it holds, its own frame, metres."""
        if hand.held is None:
            return hand.skin
        return np.concatenate([hand.skin, self._maker.cloud(hand.held)])

    def _can_be_seen(self, story: Story) -> bool:
        """Whether what hands hold leaves enough of them to see, and then hides what it should."""
        start = _THERE[story.kind] * story.seconds
        in_sight = [self._in_sight(actor, story.camera, start) for actor in story.actors]
        if min(in_sight) < _IN_SIGHT:
            return False
        if story.kind is not StoryKind.OCCLUDED or story.props:
            return True
        hidden = self._in_sight(story.actors[0], story.camera, story.seconds / 2)
        return hidden < _HIDDEN * in_sight[0]

    def _in_sight(self, actor: Actor, camera: Camera, time: float) -> float:
        """Share of a hand that what it holds does not hide."""
        moment = moment_of(actor, camera, time, self._maker)
        thing = moment.thing
        if thing is None or cloud_of(moment, self._maker)[:, 2].min() < _CLOSEST_M:
            return 1.0
        if thing.object_id not in self._surfaces:
            self._surfaces[thing.object_id] = surface_points(self._meshes[thing.object_id])
        points = transform(self._surfaces[thing.object_id], thing.rotation, thing.translation)
        return share_in_sight(moment.vertices, points, camera)

    def _goes_well(self, story: Story) -> bool:
        """Whether hands stay in the picture, out of the lens and out of the table."""
        size = np.array([story.camera.width, story.camera.height])
        for time in np.linspace(0.0, story.seconds, _CHECKS):
            for actor in story.actors:
                moment = moment_of(actor, story.camera, float(time), self._maker)
                if cloud_of(moment, self._maker)[:, 2].min() < _CLOSEST_M:
                    return False
                pixels = project(moment.joints, story.camera)
                inside = ((pixels >= 0) & (pixels <= size - 1)).all(axis=1).mean()
                if inside < _INSIDE and story.kind is not StoryKind.ENTERING:
                    return False
        return True


def _somewhere(camera: Camera, radius: float, rng: np.random.Generator) -> Array:
    """(3,) a place where a ball of this radius, metres, is in the picture."""
    depth = float(rng.uniform(_NEAR_M, _FAR_M))
    while room(camera, radius, depth).min() < 0.01:
        depth += 0.02
    return np.array([*(room(camera, radius, depth) * rng.uniform(-1.0, 1.0, size=2)), depth])


def _broadside(size: Array, rng: np.random.Generator) -> Array:
    """(3, 3) camera-from-mesh that shows about the largest face of a mesh of this size (3,)."""
    facing = np.eye(3)[np.argsort(-size)]
    facing *= np.linalg.det(facing)
    tilt = matrix_from_rotation_vector(rng.normal(scale=0.15, size=3))
    spin = matrix_from_rotation_vector(np.array([0.0, 0.0, rng.uniform(0.0, 2 * np.pi)]))
    rotation: Array = tilt @ spin @ facing
    return rotation


def _wander(camera: Camera, hand: _Gesture, seconds: float, rng: np.random.Generator) -> Path:
    """From one place over a second to a third, turning."""
    places = np.stack([_somewhere(camera, hand.radius, rng) for _ in range(3)])
    axis = random_rotation(rng)[:, 0]
    angles = np.append(0.0, rng.uniform(-0.8, 0.8, size=2))
    times = seconds * np.array([0.05, 0.5, 0.95])
    return Path(draw_view(hand.side, rng), times, places, angles, axis, draw_sway(rng))


def _way_out(cloud: Array, way: Array, camera: Camera, margin: float) -> float:
    """Metres along ``way`` after which no point of (N, 3) is in the picture."""
    size = np.array([camera.width, camera.height])
    for step in np.arange(0.1, 2.0, 0.02):
        pixels = project(cloud + step * way, camera)
        if not ((pixels > -0.5) & (pixels < size - 0.5)).all(axis=1).any():
            return float(step) + margin + 0.02
    return 2.0
