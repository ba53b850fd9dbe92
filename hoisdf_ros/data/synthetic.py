"""Labelled pictures without end: the stand-in hand, objects, clutter, and honest noise.

The picture at a number depends on split, seed and number alone, whichever process draws it and
whatever was drawn before.
"""

import os
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.render import Rendered
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.data.scene import HAND, OBJECT
from hoisdf_ros.data.synthetic_grasps import GraspBank
from hoisdf_ros.data.synthetic_objects import synthetic_meshes
from hoisdf_ros.data.synthetic_scene import HEIGHT, WIDTH, Kind, Moment, SceneMaker, draw_kind
from hoisdf_ros.data.synthetic_sensor import Sensor
from hoisdf_ros.data.synthetic_streams import Purpose, Split, stream
from hoisdf_ros.data.synthetic_studio import Studio
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.mesh import box_corners, transform

GENERATOR_VERSION = 2
"""Goes up when a picture of the same split, seed and number changes."""

GRASPS: dict[Split, int] = {"train": 4096, "val": 512, "test": 512}
"""Size of each split's bank; about 0.08 s each, made once and kept on disk. A small training set
has a smaller one, see `usual_grasps`."""

_PICTURES_A_GRASP = 6

_ATTEMPTS = 100
_HAND_PIXELS, _OBJECT_PIXELS = 500, 150  # fewer of them seen: try another moment


def usual_grasps(split: Split, count: int) -> int:
    """Size of the bank behind so many pictures.

    A training set of few pictures does not wait for thousands of grasps that it would not show.
    Sets to measure on have their whole bank: the first of their pictures are the same, however
    many are asked for.
    """
    return min(GRASPS[split], -(-count // _PICTURES_A_GRASP)) if split == "train" else GRASPS[split]


class SyntheticData:
    """A data set of `data.sample.SampleSet`'s kind that draws its pictures when asked.

    It can be pickled, and used from several processes that were spawned; a process that is
    forked must not have drawn before.

    Args:
        split: Splits never share a hand, a grasp, a texture or a picture.
        count: How many samples.
        seed: Another seed, another set.
        grasps: Size of the grasp bank; None: `usual_grasps`.

    Raises:
        DataError: The split is unknown, or a number is out of range.
    """

    def __init__(
        self, split: Split, count: int, seed: int = 0, *, grasps: int | None = None
    ) -> None:
        stream(split, seed, Purpose.KIND)  # refuses what has no address
        if count < 1:
            raise DataError(f"synthetic data: {count} samples; ask for at least one")
        self.split, self.seed = split, seed
        self.num_grasps = usual_grasps(split, count) if grasps is None else grasps
        self._count = count
        self._studio: Studio | None = None
        self._owner = (0, 0)

    @cached_property
    def meshes(self) -> dict[str, Mesh]:
        """Every object's mesh, by the samples' object id."""
        return synthetic_meshes()

    @cached_property
    def bank(self) -> GraspBank:
        """The split's grasps."""
        return GraspBank(self.split, self.seed, self.num_grasps, self.meshes)

    @cached_property
    def _maker(self) -> SceneMaker:
        return SceneMaker(self.bank, self.meshes)

    @cached_property
    def _sensor(self) -> Sensor:
        return Sensor(WIDTH, HEIGHT, stream(self.split, self.seed, Purpose.SENSOR, 0))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of every sample, in order."""
        return tuple(self._key(index) for index in range(len(self)))

    def _key(self, index: int) -> str:
        return f"synthetic/{self.split}/{self.seed}/{index:07d}"

    def __len__(self) -> int:
        return self._count

    def __getstate__(self) -> dict[str, Any]:
        """Without what another process makes anew: a renderer cannot move."""
        made = ("meshes", "bank", "keys", "_maker", "_sensor")
        state = {name: value for name, value in vars(self).items() if name not in made}
        return state | {"_studio": None, "_owner": (0, 0)}

    def usable(self, index: int) -> bool:
        """Always: hands are labelled, and so is what they hold."""
        self._checked(index)
        return True

    def kind(self, index: int) -> Kind:
        """What the hand does; drawn without the picture."""
        address = self._checked(index)
        return draw_kind(stream(self.split, self.seed, Purpose.KIND, address))

    def __getitem__(self, index: int) -> Sample:
        index = self._checked(index)
        moment, rendered = self._shot(index)
        rng = stream(self.split, self.seed, Purpose.SENSOR, index, 1)
        joints, thing = moment.joints, moment.thing
        box = None
        if thing is not None:
            corners = box_corners(self.meshes[thing.object_id].vertices)
            placed = transform(corners, thing.rotation, thing.translation)
            box = box_around(placed, moment.camera)
        return Sample(
            key=self._key(index),
            image=self._sensor.colour(rendered.image, rng),
            camera=moment.camera,
            side=moment.side,
            hand_root=joints[0],
            joints=joints,
            mano=moment.mano,
            object_id=None if thing is None else thing.object_id,
            object_rotation=None if thing is None else thing.rotation,
            object_translation=None if thing is None else thing.translation,
            hand_mask=rendered.ids == HAND,
            object_mask=None if thing is None else rendered.ids == OBJECT,
            hand_box=box_around(joints, moment.camera),
            object_box=box,
            depth=self._sensor.depth(rendered.depth, rng),
        )

    def hand(self, index: int) -> tuple[Side, Array]:
        """Side and joints of a sample's hand without drawing it, a hundred times as fast.

        Where the first moment by chance shows too little, the sample itself is another one.

        Returns:
            The side, and (21, 3) joints, metres, camera frame, our order.
        """
        index = self._checked(index)
        moment = next(self._moments(index), None)
        if moment is None:
            raise self._no_view(index)
        return moment[1].side, moment[1].joints

    def close(self) -> None:
        """Give the renderer back; it is made again when a picture is asked for."""
        if self._studio is not None and self._owner == _here():
            self._studio.close()
        self._studio = None

    def _checked(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a set of {len(self)}")
        return index % len(self)

    def _shot(self, index: int) -> tuple[Moment, Rendered]:
        """The first moment by chance in which enough is seen, and its picture."""
        kind = self.kind(index)
        for attempt, moment in self._moments(index):
            looks = stream(self.split, self.seed, Purpose.LOOKS, index, attempt)
            rendered = self._ready_studio().draw(moment, looks)
            if _enough_seen(rendered, kind):
                return moment, rendered
        raise self._no_view(index)

    def _moments(self, index: int) -> Iterator[tuple[int, Moment]]:
        """Every attempt that puts the hand in front of the camera, with its number."""
        kind = self.kind(index)
        for attempt in range(_ATTEMPTS):
            rng = stream(self.split, self.seed, Purpose.SCENE, index, attempt)
            moment = self._maker.draw(kind, rng)
            if moment is not None:
                yield attempt, moment

    def _no_view(self, index: int) -> DataError:
        return DataError(
            f"{self._key(index)}: no view in {_ATTEMPTS} shows the hand; a bug, report it"
        )

    def _ready_studio(self) -> Studio:
        """The studio of this process and thread."""
        if self._studio is None or self._owner != _here():
            rng = stream(self.split, self.seed, Purpose.STUDIO)
            self._studio, self._owner = Studio(self.meshes, rng), _here()
        return self._studio


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _enough_seen(rendered: Rendered, kind: Kind) -> bool:
    seen: NDArray[np.int64] = np.bincount(rendered.ids.ravel(), minlength=OBJECT + 1)
    enough = seen[HAND] >= _HAND_PIXELS
    return bool(enough and (kind is Kind.EMPTY or seen[OBJECT] >= _OBJECT_PIXELS))
