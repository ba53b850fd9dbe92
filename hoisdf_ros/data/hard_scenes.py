"""What goes wrong in front of a robot: sequences with worse depth, worse pictures, other people.

Each scene is made of the usual sequences: another story of what happens, or the same frames
spoilt on the way from the sensor. The truth stays what is to be seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.data.sequence_story import STORY_KINDS, Actor, Story, StoryKind, moment_of
from hoisdf_ros.data.sequence_truth import TrueFrame
from hoisdf_ros.data.synthetic_scene import SceneMaker
from hoisdf_ros.data.synthetic_sequences import SyntheticSequences
from hoisdf_ros.data.synthetic_streams import Purpose, stream
from hoisdf_ros.datatypes import Array, Frame, Mesh
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project

MINUTE_S = 60.0

_MISSING_SHARE = 0.4  # of the depth, in blotches
_BLOTCHES = (9, 12)  # rows and columns of the noise they are made of
_FLYING_PX, _EDGE_M = 9, 0.03  # width of the band at edges, and the least step of an edge
_NOWHERE_M = np.float32(1e3)
_SHIFT_PX = 24
_ZOOM = 0.75  # a depth camera that sees more than the colour camera
_STREAK_PX = 25
_CALM = 0.3  # share of its way that is left of a hand's
_APART = 0.22  # of the picture's width, from its middle

_SETTINGS, _FIRST_FRAME = 0, 1  # addresses of the chance

Depth = NDArray[np.float32]
Retell = Callable[[Story, Story, SceneMaker], Story]
Spoil = Callable[[Frame, np.random.Generator, np.random.Generator], Frame]


def holes(frame: Frame, settings: np.random.Generator, noise: np.random.Generator) -> Frame:
    """No depth in blotches that stay, as on black, shining or too near things."""
    del noise
    coarse = settings.normal(size=_BLOTCHES).astype(np.float32)
    level = cv2.resize(coarse, frame.image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    missing = level > np.quantile(np.asarray(level, dtype=float), 1 - _MISSING_SHARE)
    return replace(frame, depth=np.where(missing, np.float32(np.nan), _depth(frame)))


def flying(frame: Frame, settings: np.random.Generator, noise: np.random.Generator) -> Frame:
    """At every edge, in a wide band, depth anywhere between the near side and the far one."""
    del settings
    depth, kernel = _depth(frame), np.ones((_FLYING_PX, _FLYING_PX), np.uint8)
    known = np.isfinite(depth)
    near = cv2.erode(np.where(known, depth, _NOWHERE_M), kernel)
    far = cv2.dilate(np.where(known, depth, -_NOWHERE_M), kernel)
    share = noise.uniform(size=depth.shape).astype(np.float32)
    step = far - near
    between = np.where(step > _EDGE_M, near + share * step, depth)
    return replace(frame, depth=between.astype(np.float32))


def shifted(frame: Frame, settings: np.random.Generator, noise: np.random.Generator) -> Frame:
    """Depth that lies beside the picture: an old calibration, or none of the mounting."""
    del noise
    sign = 1 if settings.uniform() < 0.5 else -1
    return replace(frame, depth=_warped(_depth(frame), 1.0, (sign * _SHIFT_PX, 0.0)))


def unregistered(frame: Frame, settings: np.random.Generator, noise: np.random.Generator) -> Frame:
    """The depth camera's own image: a wider view, from beside, taken for a registered one."""
    del noise
    sign = 1 if settings.uniform() < 0.5 else -1
    return replace(frame, depth=_warped(_depth(frame), _ZOOM, (sign * _SHIFT_PX, 0.0)))


def blurred(frame: Frame, settings: np.random.Generator, noise: np.random.Generator) -> Frame:
    """A camera that moves while the shutter is open; one direction a sequence."""
    del noise
    angle, middle = settings.uniform(0.0, np.pi), _STREAK_PX // 2
    kernel = np.zeros((_STREAK_PX, _STREAK_PX), np.float32)
    reach = middle * np.array([np.cos(angle), np.sin(angle)])
    start, end = (tuple(map(int, np.round(middle + sign * reach))) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    image = cv2.filter2D(frame.image, -1, kernel / kernel.sum())
    return replace(frame, image=np.asarray(image, dtype=np.uint8))


def cut_off(story: Story, other: Story, maker: SceneMaker) -> Story:
    """The camera looks past the hand, of which half is beyond the nearest border all the time."""
    del other
    camera, actor = story.camera, _calmer(story.actors[0], story.seconds)
    joints = moment_of(actor, camera, story.seconds / 2, maker).joints
    u, v = (float(pixel) for pixel in project(joints.mean(axis=0), camera))
    right, down = camera.width - 1 - u, camera.height - 1 - v
    steps = ((-u, 0.0), (right, 0.0), (0.0, -v), (0.0, down))
    x, y = min(steps, key=lambda step: abs(step[0]) + abs(step[1]))
    aside = replace(camera, cx=camera.cx + x, cy=camera.cy + y)
    return replace(story, camera=aside, actors=(actor, *story.actors[1:]))


def two_people(story: Story, other: Story, maker: SceneMaker) -> Story:
    """A hand of somebody else comes in beside the first one."""
    del maker
    camera, actors = story.camera, (story.actors[0], other.actors[0])
    beside = []
    for sign, actor in zip((-1, 1), actors, strict=True):
        x, _, z = actor.path.at(story.seconds / 2)[1]
        wanted = ((0.5 + sign * _APART) * camera.width - camera.cx) * z / camera.fx
        calm = _calmer(actor, story.seconds)
        places = calm.path.places + np.array([wanted - x, 0.0, 0.0])
        beside.append(replace(calm, path=replace(calm.path, places=places)))
    return replace(story, actors=tuple(beside))


def nobody(story: Story, other: Story, maker: SceneMaker) -> Story:
    """The table and what is on it, for a minute."""
    del other, maker
    return replace(story, actors=(), seconds=MINUTE_S)


@dataclass(frozen=True)
class HardScene:
    """Something that goes wrong.

    Args:
        about: What it is, for tables.
        kinds: Of the sequences it is made of; they take turns.
        retell: Makes another story of a story and of somebody else's, with an empty hand;
            None keeps it.
        spoil: Makes another frame of a frame, by chance of the sequence and of the frame alone;
            None keeps it.
    """

    about: str
    kinds: tuple[StoryKind, ...] = (StoryKind.MOVING, StoryKind.REST, StoryKind.EMPTY)
    retell: Retell | None = None
    spoil: Spoil | None = None


HARD_SCENES: dict[str, HardScene] = {
    "holes": HardScene("depth with holes", spoil=holes),
    "flying": HardScene("flying pixels at every edge of depth", spoil=flying),
    "shifted": HardScene("depth shifted by 24 pixels", spoil=shifted),
    "unregistered": HardScene("depth of another camera", spoil=unregistered),
    "cut": HardScene("a hand half out of the picture", retell=cut_off),
    "people": HardScene("hands of two people", (StoryKind.MOVING, StoryKind.REST), two_people),
    "nobody": HardScene("no hand for a minute", (StoryKind.NEAR,), nobody),
    "bare": HardScene("a hand without an object", (StoryKind.EMPTY, StoryKind.NEAR)),
    "blur": HardScene("motion blur over 25 pixels", spoil=blurred),
}
"""By the name that a user gives."""


def scene_named(name: str) -> HardScene:
    """One of `HARD_SCENES`.

    Raises:
        DataError: There is no such scene.
    """
    if name not in HARD_SCENES:
        raise DataError(f"scene '{name}': expected one of {', '.join(HARD_SCENES)}")
    return HARD_SCENES[name]


class HardSequences:
    """Sequences of several hard scenes, one scene after the other.

    Args:
        sequences: What they are made of; as many of it as `needed` says.
        names: Of `HARD_SCENES`.
        count: How many of each.

    Raises:
        DataError: An unknown scene, none, or too few sequences to make them of.
    """

    def __init__(self, sequences: SyntheticSequences, names: Sequence[str], count: int) -> None:
        if count < 1 or not names or len(sequences) < needed(count):
            raise DataError(
                f"{count} sequences of {len(names)} hard scenes from {len(sequences)}: expected "
                f"one or more of at least one scene from {needed(max(count, 1))}"
            )
        self._sequences, self._count = sequences, count
        self._scenes = {name: scene_named(name) for name in names}
        self._names = tuple(names)

    @property
    def meshes(self) -> dict[str, Mesh]:
        """Every object's mesh, by object id."""
        return self._sequences.meshes

    def __len__(self) -> int:
        return self._count * len(self._names)

    def group(self, index: int) -> str:
        """The scene of a sequence."""
        return self._names[self._checked(index) // self._count]

    def frames(self, index: int, every: int = 1) -> Iterator[TrueFrame]:
        """The frames of a sequence; see `SyntheticSequences.frames`."""
        name, turn = self.group(index), self._checked(index) % self._count
        scene, sequences = self._scenes[name], self._sequences
        round_, place = divmod(turn, len(scene.kinds))
        number = round_ * len(STORY_KINDS) + STORY_KINDS.index(scene.kinds[place])
        story = sequences.story(number)
        if scene.retell is not None:
            other = round_ * len(STORY_KINDS) + STORY_KINDS.index(StoryKind.EMPTY)
            story = scene.retell(story, sequences.story(other), sequences.maker)
        for frame in sequences.shoot(number, story, every):
            yield self._spoilt(frame, scene, name, number)

    def close(self) -> None:
        """Give the renderer back."""
        self._sequences.close()

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sequence {index} of {len(self)}")
        return index % len(self)

    def _spoilt(self, frame: TrueFrame, scene: HardScene, name: str, number: int) -> TrueFrame:
        made = frame.frame
        if scene.spoil is not None:
            split, seed = self._sequences.split, self._sequences.seed

            def chance(part: int) -> np.random.Generator:
                return stream(split, seed, Purpose.SEQUENCE_SCENE, number, part)

            made = scene.spoil(made, chance(_SETTINGS), chance(_FIRST_FRAME + frame.number))
        return replace(frame, sequence=f"{frame.sequence}/{name}", frame=made)


def needed(count: int) -> int:
    """How many sequences it takes to make so many of every hard scene."""
    return count * len(STORY_KINDS)


def _depth(frame: Frame) -> Depth:
    if frame.depth is None:
        raise DataError("a frame without depth cannot lose any: give one that has it")
    return frame.depth


def _warped(depth: Depth, scale: float, shift: tuple[float, float]) -> Depth:
    """Depth scaled about the middle and shifted, pixels; its border goes on outwards."""
    height, width = depth.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix: Array = np.hstack([scale * np.eye(2), ((1 - scale) * middle + shift)[:, None]])
    warped = cv2.warpAffine(
        depth,
        matrix,
        (width, height),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, dtype=np.float32)


def _calmer(actor: Actor, seconds: float) -> Actor:
    """The same hand on a shorter way around the middle of its own."""
    middle = actor.path.at(seconds / 2)[1]
    places = middle + _CALM * (actor.path.places - middle)
    return replace(actor, path=replace(actor.path, places=places))
