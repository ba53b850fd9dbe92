"""How a moment looks: people, clothes, light, clutter, and a renderer to draw them."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from hoisdf_ros.conventions import WRIST, Side
from hoisdf_ros.data.arm import (
    Colour,
    arm_rotation,
    as_colour,
    forearm_mesh,
    skin_tone,
    sleeve_mesh,
)
from hoisdf_ros.data.render import Background, Item, Light, Rendered, Renderer
from hoisdf_ros.data.scene import ARM, HAND, OBJECT
from hoisdf_ros.data.synthetic_backdrop import Table, draw_backdrop
from hoisdf_ros.data.synthetic_pictures import Picture, draw_pictures, skin
from hoisdf_ros.data.synthetic_scene import Moment, draw_camera, random_rotation
from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.geometry.camera import backproject, project
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.stand_in import load_stand_in

CLUTTER, OCCLUDER = 4, 5
"""Kinds of things in `Rendered.ids` beside those of `data.scene`."""

_PICTURES, _PEOPLE, _CLOTHES = 32, 6, 8
_SLEEVE_SHARE, _OCCLUDER_SHARE = 0.75, 0.15
_SLEEVE_STARTS_M = (0.02, 0.16)
_MOST_CLUTTER = 7
_ARM_M = 0.8  # so long that its end is rarely seen


class Studio:
    """Draws moments with looks by chance. Use it in the thread that made it, and close it.

    Args:
        meshes: The objects, by id.
        rng: Where its stock of textures comes from.

    Raises:
        HoisdfError: This machine has no OpenGL that works without a display.
    """

    def __init__(self, meshes: dict[str, Mesh], rng: np.random.Generator) -> None:
        self._meshes = meshes
        self._pictures = draw_pictures(list(meshes.values()), _PICTURES, rng)
        self._people = [_Person(skin(rng)) for _ in range(_PEOPLE)]
        cloths = [self._pictures[k] for k in rng.permutation(_PICTURES)[:_CLOTHES]]
        self._sleeves = [_textured(sleeve_mesh(0.0, _ARM_M), cloth, 0.0) for cloth in cloths]
        self._renderer = Renderer(draw_camera(rng))

    def close(self) -> None:
        """Give the renderer back."""
        self._renderer.close()

    def draw(self, moment: Moment, rng: np.random.Generator) -> Rendered:
        """The moment without sensor noise; ids are `HAND`, `OBJECT`, `ARM` and what is around."""
        camera, cloud = moment.camera, moment.vertices
        items = self.hand(moment, rng)
        if moment.thing is not None:
            thing, mesh = moment.thing, self._meshes[moment.thing.object_id]
            cloud = np.concatenate(
                [cloud, transform(mesh.vertices, thing.rotation, thing.translation)]
            )
            items.append(self.object(thing.object_id, thing.rotation, thing.translation, rng))
        held = [] if moment.thing is None else [moment.thing.object_id]
        background = self.backdrop(camera, cloud, rng)
        items += self.clutter(camera, held, background, float(cloud[:, 2].max()), rng)
        if rng.uniform() < _OCCLUDER_SHARE:
            items.append(self._occluder(moment, rng))
        return self.render(camera, items, background, draw_light(rng))

    def render(
        self, camera: Camera, items: Sequence[Item], background: Background, light: Light
    ) -> Rendered:
        """Draw what the other methods give."""
        self._renderer.use(camera)
        return self._renderer.render(items, background, light)

    def backdrop(
        self, camera: Camera, cloud: Array, rng: np.random.Generator, table: Table | None = None
    ) -> Background:
        """As `draw_backdrop` with this studio's pictures."""
        return draw_backdrop(self._pictures, camera, cloud, rng, table)

    def hand(self, moment: Moment, rng: np.random.Generator) -> list[Item]:
        """The hand, its forearm and mostly a sleeve; the same chance dresses it the same."""
        person = self._people[int(rng.integers(_PEOPLE))]
        tone, shine = skin_tone(rng), float(rng.uniform(0.0, 0.2))
        bend = matrix_from_rotation_vector(rng.normal(scale=np.radians([0.0, 8.0, 12.0])))
        turn = arm_rotation(matrix_from_rotation_vector(moment.mano.orient), moment.side, bend)
        wrist, still = moment.joints[WRIST], (np.eye(3), np.zeros(3))
        items = [
            Item(
                person.hands[moment.side],
                HAND,
                *still,
                vertices=moment.vertices,
                shine=shine,
                tint=tone,
            ),
            Item(person.forearm, ARM, turn, wrist, shine=shine, tint=tone),
        ]
        sleeve, start = self._sleeves[int(rng.integers(_CLOTHES))], rng.uniform(*_SLEEVE_STARTS_M)
        if rng.uniform() < _SLEEVE_SHARE:
            place = wrist + start * turn[:, 0]
            items.append(Item(sleeve, ARM, turn, place, shine=0.0, tint=_tint(rng)))
        return items

    def object(
        self, name: str, rotation: Array, translation: Array, rng: np.random.Generator
    ) -> Item:
        """An object in slightly different colours by chance; simple shapes in any."""
        mesh = self._meshes[name]
        shine = float(rng.uniform(0.0, 0.4))
        tint = as_colour(rng.normal(0.95, 0.06, size=3))
        paint = as_colour(rng.uniform(0.05, 0.95, size=3))
        return Item(mesh, OBJECT, rotation, translation, colour=paint, shine=shine, tint=tint)

    def clutter(
        self,
        camera: Camera,
        held: Collection[str],
        background: Background,
        behind: float,
        rng: np.random.Generator,
    ) -> list[Item]:
        """Objects behind the hand and in front of wall and table; never a second held one.

        Args:
            camera: The camera.
            held: What is held.
            background: The wall and the table.
            behind: Farther than this z, metres.
            rng: Where the chance comes from.
        """
        names = [name for name in self._meshes if name not in held]
        items = []
        for _ in range(int(rng.integers(_MOST_CLUTTER))):
            name, turn = str(rng.choice(names)), random_rotation(rng)
            radius = float(np.linalg.norm(self._meshes[name].size)) / 2
            x, y = int(rng.integers(camera.width)), int(rng.integers(camera.height))
            z = behind + radius + rng.exponential(0.4)
            limit = np.inf if background.depth is None else background.depth[y, x]
            z = float(np.fmin(z, limit))  # NaN is no limit
            if z < behind + radius:
                continue
            place = backproject((x, y), z, camera)
            items.append(replace(self.object(name, turn, place, rng), id=CLUTTER))
        return items

    def _occluder(self, moment: Moment, rng: np.random.Generator) -> Item:
        """Something between the camera and a part of the hand."""
        camera = moment.camera
        pixel = project(moment.joints[int(rng.integers(len(moment.joints)))], camera)
        nearest = float(moment.vertices[:, 2].min())
        z = nearest * rng.uniform(0.5, 0.8)
        place = backproject(pixel + rng.normal(scale=30.0, size=2), z, camera)
        name = str(rng.choice(list(self._meshes)))
        scale = rng.uniform(0.3, 0.7) * z / nearest
        thing = self.object(name, scale * random_rotation(rng), place, rng)
        return replace(thing, id=OCCLUDER)


class _Person:
    """Skin: the meshes of both hands and of a forearm with one texture."""

    def __init__(self, texture: Picture) -> None:
        self.hands = {}
        for side in (Side.RIGHT, Side.LEFT):
            arrays = load_stand_in(side)
            mesh = Mesh(arrays.v_template, arrays.faces.astype(np.int32))
            self.hands[side] = _textured(mesh, texture, 0.0)
        self.forearm = _textured(forearm_mesh(_ARM_M, 1.6), texture, 0.7)


def _textured(mesh: Mesh, texture: Picture, first: float) -> Mesh:
    """The mesh with a texture laid through it along y, from ``first`` to 1 along x.

    A right hand's finger tips and a left hand's come to lie at the same end.
    """
    x, z = mesh.vertices[:, 0], mesh.vertices[:, 2]
    along = (x - x.min()) / np.ptp(x)
    if abs(x.max()) > abs(x.min()):  # a left hand's fingers go along +x
        along = 1.0 - along
    uv = np.stack([first + (1.0 - first) * along, (z - z.min()) / np.ptp(z)], axis=1)
    return replace(mesh, uv=uv, texture=texture)


def _tint(rng: np.random.Generator) -> Colour:
    return as_colour(rng.uniform(0.3, 1.0) * rng.uniform(0.7, 1.0, size=3))


def draw_light(rng: np.random.Generator) -> Light:
    """A lamp somewhere on the camera's side, warm or cold, hard or soft."""
    towards = (rng.normal(scale=0.8), rng.normal(-0.5, 0.6), -float(rng.uniform(0.3, 1.2)))
    warmth = rng.normal(scale=0.06)
    return Light(towards, (1.0 + warmth, 1.0, 1.0 - warmth), float(rng.uniform(0.25, 0.65)))
