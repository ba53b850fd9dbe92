"""Videos with the truth about them: what single pictures cannot ask.

Hands that move, come and go, cross, hold nothing, are hidden for a while, and rest. The sequence
at a number depends on split, seed, number and length alone. Nobody trains on them.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import box_around
from hoisdf_ros.data.sequence_stage import Shot, Stage, hand_id
from hoisdf_ros.data.sequence_story import STORY_KINDS, Story, StoryKind
from hoisdf_ros.data.sequence_truth import (
    TrueFrame,
    TrueHand,
    TrueObject,
    outline_area,
    reaches_into,
)
from hoisdf_ros.data.sequence_writer import StoryWriter
from hoisdf_ros.data.synthetic import GRASPS
from hoisdf_ros.data.synthetic_grasps import GraspBank
from hoisdf_ros.data.synthetic_objects import synthetic_meshes
from hoisdf_ros.data.synthetic_scene import HEIGHT, WIDTH, Moment, PlacedObject, SceneMaker
from hoisdf_ros.data.synthetic_sensor import Sensor
from hoisdf_ros.data.synthetic_streams import Purpose, Split, stream
from hoisdf_ros.data.synthetic_studio import Studio
from hoisdf_ros.datatypes import Camera, Frame, Mesh
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import box_corners, transform
from hoisdf_ros.hand_model.stand_in import load_stand_in

FRAMES_PER_SECOND = 30.0
SECONDS = 4.0
"""Length of a sequence unless another is asked for."""

_ATTEMPTS = 200
_SETTINGS, _FIRST_FRAME = 0, 1  # addresses of the sensor's chance


class SyntheticSequences:
    """So many sequences; their kinds take turns. Use it in one thread, and close it.

    Nothing is kept but the textures, and the story of the sequence that is being drawn.

    Args:
        split: Splits never share a hand, a grasp, a texture or a story.
        count: How many sequences.
        seed: Another seed, other sequences.
        seconds: How long each is.
        grasps: Size of the grasp bank; None takes the split's own of `synthetic.GRASPS`.

    Raises:
        DataError: The split is unknown, or a number is out of range.
    """

    def __init__(
        self,
        split: Split,
        count: int,
        seed: int = 0,
        *,
        seconds: float = SECONDS,
        grasps: int | None = None,
    ) -> None:
        stream(split, seed, Purpose.SEQUENCE)  # refuses what has no address
        if count < 1:
            raise DataError(f"synthetic data: {count} sequences; ask for at least one")
        if not 1 / FRAMES_PER_SECOND <= seconds < float("inf"):
            raise DataError(f"synthetic data: sequences of {seconds} s; ask for a few seconds")
        self.split, self.seed, self.seconds = split, seed, seconds
        self.num_grasps = GRASPS[split] if grasps is None else grasps
        self._count = count
        self._studio: Studio | None = None

    @cached_property
    def meshes(self) -> dict[str, Mesh]:
        """Every object's mesh, by object id."""
        return synthetic_meshes()

    @cached_property
    def bank(self) -> GraspBank:
        """The split's grasps; those of its single pictures."""
        return GraspBank(self.split, self.seed, self.num_grasps, self.meshes)

    @cached_property
    def maker(self) -> SceneMaker:
        """Knows the shape of the hands."""
        return SceneMaker(self.bank, self.meshes)

    @cached_property
    def _faces(self) -> dict[Side, NDArray[np.int64]]:
        return {side: load_stand_in(side).faces for side in (Side.LEFT, Side.RIGHT)}

    @cached_property
    def _sensor(self) -> Sensor:
        return Sensor(WIDTH, HEIGHT, stream(self.split, self.seed, Purpose.SEQUENCE_STUDIO, 1))

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of every sequence, in order."""
        return tuple(self._key(index) for index in range(len(self)))

    @property
    def num_frames(self) -> int:
        """Frames of each sequence."""
        return round(self.seconds * FRAMES_PER_SECOND)

    def __len__(self) -> int:
        return self._count

    def kind(self, index: int) -> StoryKind:
        """What a sequence is about."""
        return STORY_KINDS[self._checked(index) % len(STORY_KINDS)]

    def group(self, index: int) -> str:
        """What a sequence is about, in words."""
        return self.kind(index).value

    def story(self, index: int) -> Story:
        """A sequence without pictures."""
        index, kind = self._checked(index), self.kind(index)
        writer = StoryWriter(self.bank, self.meshes, self.maker)
        for attempt in range(_ATTEMPTS):
            rng = stream(self.split, self.seed, Purpose.SEQUENCE, index, attempt)
            story = writer.write(kind, self.seconds, rng)
            if story is not None:
                return story
        raise DataError(
            f"{self._key(index)}: no story in {_ATTEMPTS} shows the hand; a bug, report it"
        )

    def frames(self, index: int, every: int = 1) -> Iterator[TrueFrame]:
        """The frames of a sequence, each drawn when it is asked for.

        Args:
            index: Which sequence.
            every: Only every so many of its frames, for a quick look; they are the same frames.

        Raises:
            DataError: Fewer than every frame.
            HoisdfError: This machine has no OpenGL that works without a display.
        """
        index = self._checked(index)
        yield from self.shoot(index, self.story(index), every)

    def shoot(self, index: int, story: Story, every: int = 1) -> Iterator[TrueFrame]:
        """The frames of a story, with the looks and the sensors of a sequence.

        Args:
            index: Which sequence.
            story: Its own one or another.
            every: As in `frames`.

        Raises:
            DataError: Fewer than every frame.
            HoisdfError: This machine has no OpenGL that works without a display.
        """
        if every < 1:
            raise DataError(f"every {every} frames: expected 1 for all of them, or more")
        index = self._checked(index)

        def chance(part: int) -> np.random.Generator:
            return stream(self.split, self.seed, Purpose.SEQUENCE_LOOKS, index, part)

        stage = Stage(story, self._ready_studio(), self.maker, self.meshes, chance)
        for number in range(0, round(story.seconds * FRAMES_PER_SECOND), every):
            stamp = number / FRAMES_PER_SECOND
            shot = stage.shoot(stamp)
            frame = self._sensed(shot, story.camera, index, number)
            yield TrueFrame(self._key(index), number, frame, self._hands(shot, story.camera))

    def close(self) -> None:
        """Give the renderer back; it is made again when a picture is asked for."""
        if self._studio is not None:
            self._studio.close()
        self._studio = None

    def _key(self, index: int) -> str:
        return f"synthetic-sequence/{self.split}/{self.seed}/{index:05d}"

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sequence {index} of {len(self)}")
        return index % len(self)

    def _sensed(self, shot: Shot, camera: Camera, index: int, number: int) -> Frame:
        """What the sensors deliver; their settings stay for the whole sequence."""

        def chance(part: int) -> np.random.Generator:
            return stream(self.split, self.seed, Purpose.SEQUENCE_SENSOR, index, part)

        noise, settings = chance(_FIRST_FRAME + number), chance(_SETTINGS)
        image = self._sensor.colour(shot.rendered.image, settings, noise)
        depth = self._sensor.depth(shot.rendered.depth, settings, noise)
        return Frame(image, camera, depth, stamp=number / FRAMES_PER_SECOND)

    def _hands(self, shot: Shot, camera: Camera) -> tuple[TrueHand, ...]:
        counts = np.bincount(shot.rendered.ids.ravel(), minlength=256)
        hands = []
        for number, moment in enumerate(shot.moments):
            box = box_around(moment.joints, camera)
            if box is None or not reaches_into(box, camera.width, camera.height):
                continue
            area = outline_area(project(moment.vertices, camera), self._faces[moment.side])
            visible = min(float(counts[hand_id(number)]) / area, 1.0)
            held = None if moment.thing is None else self._held(moment.thing, moment)
            hands.append(
                TrueHand(number, moment.side, moment.joints, moment.mano, box, visible, held)
            )
        return tuple(hands)

    def _held(self, thing: PlacedObject, moment: Moment) -> TrueObject | None:
        corners = box_corners(self.meshes[thing.object_id].vertices)
        placed = transform(corners, thing.rotation, thing.translation)
        box = box_around(placed, moment.camera)
        if box is None:  # never for a story that went well
            return None
        return TrueObject(thing.object_id, thing.rotation, thing.translation, box)

    def _ready_studio(self) -> Studio:
        if self._studio is None:
            rng = stream(self.split, self.seed, Purpose.SEQUENCE_STUDIO)
            self._studio = Studio(self.meshes, rng)
        return self._studio
