"""A story in front of the camera: dressed once, drawn at any time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.data.render import Item, Rendered
from hoisdf_ros.data.scene import HAND
from hoisdf_ros.data.sequence_story import Story, cloud_of, moment_of
from hoisdf_ros.data.synthetic_scene import Moment, SceneMaker
from hoisdf_ros.data.synthetic_studio import CLUTTER, OCCLUDER, Studio, draw_light
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import transform

IDS_PER_ACTOR = 8
"""Ids in a picture are those of single pictures plus so much times the number of the hand."""

_LOOKS = 17  # moments at which the wall is fitted behind everything
_LONGEST_SHUTTER_S = 1 / 60
_STEP_PX, _MOST_STEPS = 2.0, 5  # of motion blur

Chance = Callable[[int], np.random.Generator]
"""The generator of a number; the same number gives the same chance."""

_ROOM, _PERSON, _CAMERA, _THINGS = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class Shot:
    """A moment of a story, drawn.

    Args:
        moments: Every actor, also those out of the picture.
        rendered: Without noise; the picture is blurred by what moved while the shutter was open.
    """

    moments: tuple[Moment, ...]
    rendered: Rendered


class Stage:
    """One story with its looks, which stay the same from frame to frame.

    Args:
        story: What happens.
        studio: Draws it.
        maker: Knows the shape of hands.
        meshes: The objects, by id.
        chance: Where the looks come from.
    """

    def __init__(
        self,
        story: Story,
        studio: Studio,
        maker: SceneMaker,
        meshes: dict[str, Mesh],
        chance: Chance,
    ) -> None:
        self._story, self._studio, self._maker, self._meshes = story, studio, maker, meshes
        self._chance = chance
        self._shutter = float(chance(_CAMERA).uniform(0.0, _LONGEST_SHUTTER_S))
        rng, cloud = chance(_ROOM), self._everything()
        self._background = studio.backdrop(story.camera, cloud, rng, story.table)
        known = [actor.held.object_id for actor in story.actors if actor.held is not None]
        known += [prop.object_id for prop in story.props]
        behind = float(cloud[:, 2].max())
        self._still = studio.clutter(story.camera, known, self._background, behind, rng)
        self._light = draw_light(rng)

    def shoot(self, time: float) -> Shot:
        """Draw a moment, seconds after the story's start."""
        moments = self._moments(time)
        rendered = self._draw(time, moments)
        steps = self._steps(moments, self._moments(time + self._shutter))
        if steps == 1:
            return Shot(moments, rendered)
        offsets = (np.arange(steps) / (steps - 1) - 0.5) * self._shutter
        pictures = [self._draw(t, self._moments(t)).image for t in time + offsets]
        return Shot(moments, replace(rendered, image=_mean(pictures)))

    def _moments(self, time: float) -> tuple[Moment, ...]:
        story = self._story
        return tuple(moment_of(actor, story.camera, time, self._maker) for actor in story.actors)

    def _draw(self, time: float, moments: Sequence[Moment]) -> Rendered:
        items = [*self._still]
        for number, moment in enumerate(moments):
            items += [_owned(item, number) for item in self._actor(moment, number)]
        for number, prop in enumerate(self._story.props):
            placed = prop.at(time)
            rng = self._chance(_THINGS + IDS_PER_ACTOR * (number + 1) + 1)
            item = self._studio.object(placed.object_id, placed.rotation, placed.translation, rng)
            items.append(replace(item, id=OCCLUDER if prop.hides else CLUTTER))
        return self._studio.render(self._story.camera, items, self._background, self._light)

    def _actor(self, moment: Moment, number: int) -> list[Item]:
        """All hands have the looks of one person."""
        items = self._studio.hand(moment, self._chance(_PERSON))
        thing = moment.thing
        if thing is not None:
            rng = self._chance(_THINGS + IDS_PER_ACTOR * (number + 1))
            where = thing.rotation, thing.translation
            items.append(self._studio.object(thing.object_id, *where, rng))
        return items

    def _everything(self) -> Array:
        """(N, 3) points that are seen some time, metres, camera frame."""
        story, points = self._story, []
        for time in np.linspace(0.0, story.seconds, _LOOKS):
            points += [cloud_of(moment, self._maker) for moment in self._moments(float(time))]
        for prop in story.props:
            placed = prop.at(0.0)
            shape = self._meshes[prop.object_id].vertices
            points.append(transform(shape, placed.rotation, placed.translation))
        cloud = np.concatenate(points)
        size = np.array([story.camera.width, story.camera.height])
        pixels = project(cloud, story.camera)
        seen: Array = cloud[((pixels >= 0) & (pixels <= size - 1)).all(axis=1)]
        return seen

    def _steps(self, opened: Sequence[Moment], closed: Sequence[Moment]) -> int:
        """How many pictures it takes to show what moves while the shutter is open."""
        camera, moved = self._story.camera, 0.0
        for before, after in zip(opened, closed, strict=True):
            apart = project(after.joints, camera) - project(before.joints, camera)
            moved = max(moved, float(np.linalg.norm(apart, axis=1).max()))
        return int(np.clip(np.ceil(moved / _STEP_PX), 1, _MOST_STEPS))


def hand_id(number: int) -> int:
    """What `Rendered.ids` has where a hand is seen."""
    return HAND + IDS_PER_ACTOR * number


def _owned(item: Item, number: int) -> Item:
    return replace(item, id=item.id + IDS_PER_ACTOR * number)


def _mean(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    total = np.zeros(pictures[0].shape, np.float32)
    for picture in pictures:
        cv2.accumulate(picture, total)
    return np.asarray(cv2.convertScaleAbs(total, alpha=1 / len(pictures)), dtype=np.uint8)
