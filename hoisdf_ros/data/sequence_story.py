"""What happens in a sequence: who moves how, before anything about looks."""

import enum
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sequence_path import Path, between
from hoisdf_ros.data.synthetic_backdrop import Table
from hoisdf_ros.data.synthetic_scene import Moment, PlacedObject, SceneMaker
from hoisdf_ros.datatypes import Array, Camera, ManoParameters
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.geometry.rotation import rotation_vector_from_matrix


class StoryKind(enum.Enum):
    """What a sequence is about."""

    MOVING = "a hand moves an object"
    ENTERING = "a hand comes in, leaves, and comes again"
    CROSSING = "a left and a right hand cross twice"
    EMPTY = "an empty hand moves"
    NEAR = "an empty hand moves beside an object on a table"
    OCCLUDED = "something comes between hand and camera for a while"
    REST = "a hand with an object at rest"


STORY_KINDS: tuple[StoryKind, ...] = tuple(StoryKind)
"""In the order in which sequences take their turns."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A hand.

    Args:
        side: Its side.
        betas: (10,) its shape.
        times: (K,) seconds at which the fingers reach the poses.
        poses: (K, 16, 3) rotation vectors, radians.
        held: The object in the frame of the hand, or None.
        middle: (3,) the point that follows the path, frame of the hand, metres.
        path: Of the hand.
    """

    side: Side
    betas: Array
    times: Array
    poses: Array
    held: PlacedObject | None
    middle: Array
    path: Path


@dataclass(frozen=True, eq=False)
class Prop:
    """A thing that nobody holds.

    Args:
        object_id: Its mesh.
        scale: By which the mesh is made larger.
        path: Of the origin of its mesh.
        hides: It is there to hide the hand; otherwise it lies beside it.
    """

    object_id: str
    scale: float
    path: Path
    hides: bool

    def at(self, time: float) -> PlacedObject:
        """Where it is; its rotation carries the scale."""
        rotation, place = self.path.at(time)
        return PlacedObject(self.object_id, self.scale * rotation, place)


@dataclass(frozen=True, eq=False)
class Story:
    """A sequence without looks.

    Args:
        kind: What it is about.
        camera: The camera, which stands still.
        seconds: How long it is.
        actors: The hands; several are those of one person.
        props: Other things.
        table: What they lie on, or None.
    """

    kind: StoryKind
    camera: Camera
    seconds: float
    actors: tuple[Actor, ...]
    props: tuple[Prop, ...] = ()
    table: Table | None = None


def moment_of(actor: Actor, camera: Camera, time: float, maker: SceneMaker) -> Moment:
    """One hand at a time, in the form that single pictures have.

    Args:
        actor: The hand.
        camera: Of the story.
        time: Seconds since its start.
        maker: Knows the shape of hands.
    """
    pose = between(actor.times, actor.poses, time)
    vertices, joints = maker.hand(actor.side, pose, actor.betas)
    rotation, place = actor.path.at(time)
    wrist = place - rotation @ actor.middle
    orient = rotation_vector_from_matrix(rotation)
    thing = actor.held
    if thing is not None:
        turn, origin = rotation @ thing.rotation, rotation @ thing.translation + wrist
        thing = PlacedObject(thing.object_id, turn, origin)
    return Moment(
        camera,
        actor.side,
        ManoParameters(orient, pose[1:].ravel(), actor.betas, wrist),
        transform(vertices, rotation, wrist),
        transform(joints, rotation, wrist),
        thing,
    )


def cloud_of(moment: Moment, maker: SceneMaker) -> Array:
    """(N, 3) points around a hand and what it holds, metres, camera frame."""
    if moment.thing is None:
        return moment.vertices
    return np.concatenate([moment.vertices, maker.cloud(moment.thing)])
