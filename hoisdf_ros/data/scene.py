"""The demo scene: hands that hold objects in front of a camera, with the truth about them.

``scene.at(t)`` depends on nothing but the seed and ``t``, in any order of calls.
"""

import bisect
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hoisdf_ros.conventions import MIRROR, WRIST, Side
from hoisdf_ros.data.arm import arm_rotation, forearm_mesh, sleeve_mesh
from hoisdf_ros.data.backdrop import SensorNoise
from hoisdf_ros.data.demo_plan import Planner, Segment
from hoisdf_ros.data.grasp import GraspSynthesiser
from hoisdf_ros.data.render import Item, Rendered, Renderer
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, ManoParameters, Mesh
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects, load_mesh, transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes
from hoisdf_ros.postprocessing.hand import wrist_frame

HAND, OBJECT, ARM = 1, 2, 3
"""Kinds of things in `Rendered.ids`: the id is the kind plus `IDS_PER_HAND` times the hand."""
IDS_PER_HAND = 4

_MIN_VISIBLE = 150  # pixels below which nothing is detected
_SLEEVE_START_M = 0.045


@dataclass(frozen=True, eq=False)
class HandTruth:
    """One hand as it is.

    Args:
        side: The person's side.
        joints: (21, 3) metres, camera frame.
        vertices: (778, 3) metres, camera frame.
        wrist_rotation: (3, 3) camera-from-wrist, as in `HandEstimate`.
        mano: Parameters of the stand-in hand of this side.
    """

    side: Side
    joints: Array
    vertices: Array
    wrist_rotation: Array
    mano: ManoParameters


@dataclass(frozen=True, eq=False)
class ObjectTruth:
    """One object as it is.

    Args:
        object_id: Its name.
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) origin of the mesh frame, metres, camera frame.
        hand: Index of the hand that holds it in `SceneState.hands`.
    """

    object_id: str
    rotation: Array
    translation: Array
    hand: int


@dataclass(frozen=True, eq=False)
class SceneState:
    """Everything about one moment.

    Args:
        time: Seconds since the start of the scene.
        segment: Which part of the programme this is.
        hands: Hands of which, or of whose object, something is inside the picture's borders.
        objects: What they hold.
    """

    time: float
    segment: int
    hands: tuple[HandTruth, ...] = ()
    objects: tuple[ObjectTruth, ...] = ()


class DemoScene:
    """Hands that come one after the other, hold an object, move and go.

    The programme repeats after ``period`` seconds. Drawing needs EGL and must happen in one
    thread; the truth alone needs neither.

    Args:
        camera: Size and intrinsics of the pictures.
        seed: Another seed, another programme.
        noise: Add sensor noise to colour and depth.
        object_dir: One ``<object_id>/textured.obj`` per object.

    Raises:
        MeshError: The objects cannot be read.
    """

    def __init__(
        self,
        camera: Camera,
        seed: int = 0,
        *,
        noise: bool = True,
        object_dir: Path = PACKAGED_OBJECTS,
    ) -> None:
        self.camera = camera
        self.meshes = {name: load_mesh(path) for name, path in find_objects(object_dir).items()}
        right = HandModel(load_stand_in(Side.RIGHT))
        self._hands = {Side.RIGHT: right, Side.LEFT: right.mirrored()}
        self._skins = {side: _as_mesh(model) for side, model in self._hands.items()}
        maker = GraspSynthesiser(right, load_stand_in_bend_axes(Side.RIGHT))
        planner = Planner(camera, maker, self.meshes, seed)
        plan = planner.plan()
        self.grids = planner.grids
        self.period = plan.period
        self._segments = plan.segments
        self._starts = [segment.start for segment in plan.segments]
        self._noise = SensorNoise(camera, np.random.default_rng(seed)) if noise else None
        self._forearm, self._sleeve = forearm_mesh(0.07, 1.1), sleeve_mesh(_SLEEVE_START_M)
        self._renderer: Renderer | None = None

    def close(self) -> None:
        """Give the renderer back."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def at(self, time: float) -> SceneState:
        """The scene so many seconds after its start.

        Raises:
            HoisdfError: The time is not finite.
        """
        if not math.isfinite(time):
            raise HoisdfError(f"scene time {time}: expected finite seconds")
        within = time % self.period
        index = bisect.bisect_right(self._starts, within) - 1
        segment = self._segments[index]
        since = within - segment.start
        if since > segment.motion.duration:
            return SceneState(time, index)
        rotation, wrist = _placed(segment, since)
        hand = self._hand(segment, since, rotation, wrist)
        points, objects = [hand.vertices], []
        if segment.held is not None:
            turn, place = rotation @ segment.held.rotation, rotation @ segment.held.translation
            objects.append(ObjectTruth(segment.held.object_id, turn, place + wrist, hand=0))
            points.append(
                transform(self.meshes[segment.held.object_id].vertices, turn, place + wrist)
            )
        if not self._in_picture(np.concatenate(points)):
            return SceneState(time, index)
        return SceneState(time, index, (hand,), tuple(objects))

    def _hand(self, segment: Segment, since: float, rotation: Array, wrist: Array) -> HandTruth:
        pose = segment.pose(since)
        rotations = matrix_from_rotation_vector(pose)
        rotations[0] = rotation
        with torch.no_grad():
            geometry = self._hands[segment.side](
                torch.from_numpy(rotations[None]).float(),
                torch.from_numpy(segment.betas[None]).float(),
            )
        joints = geometry.joints[0].numpy().astype(float) + wrist
        orient = rotation_vector_from_matrix(rotation)
        return HandTruth(
            side=segment.side,
            joints=joints,
            vertices=geometry.vertices[0].numpy().astype(float) + wrist,
            wrist_rotation=wrist_frame(joints, segment.side),
            mano=ManoParameters(orient, pose[1:].ravel(), segment.betas, joints[WRIST]),
        )

    def _in_picture(self, points: Array) -> bool:
        pixels = project(points, self.camera)  # NaN, hence False, behind the camera
        size = np.array([self.camera.width, self.camera.height])
        return bool(((pixels >= -0.5) & (pixels < size - 0.5)).all(axis=1).any())

    def render(self, state: SceneState) -> Rendered:
        """Draw a moment; ids are `HAND`, `OBJECT` and `ARM` plus `IDS_PER_HAND` times the hand.

        Raises:
            HoisdfError: This machine has no OpenGL that works without a display.
        """
        if self._renderer is None:
            self._renderer = Renderer(self.camera)
        segment = self._segments[state.segment]
        items: list[Item] = []
        for index, hand in enumerate(state.hands):
            items += self._hand_items(segment, hand, IDS_PER_HAND * index)
        for thing in state.objects:
            kind = OBJECT + IDS_PER_HAND * thing.hand
            mesh = self.meshes[thing.object_id]
            items.append(Item(mesh, kind, thing.rotation, thing.translation))
        rendered = self._renderer.render(items, segment.backdrop.background, segment.backdrop.light)
        if self._noise is None:
            return rendered
        return self._noise.add(rendered, round(abs(state.time) * 1e6))

    def _hand_items(self, segment: Segment, hand: HandTruth, offset: int) -> list[Item]:
        wrist, mesh = hand.joints[WRIST], self._skins[hand.side]
        bend = matrix_from_rotation_vector(segment.wrist_bend)
        turn = arm_rotation(matrix_from_rotation_vector(hand.mano.orient), hand.side, bend)
        still = np.eye(3), np.zeros(3)
        return [
            Item(mesh, HAND + offset, *still, vertices=hand.vertices, colour=segment.skin),
            Item(self._forearm, ARM + offset, turn, wrist, colour=segment.skin),
            Item(self._sleeve, ARM + offset, turn, wrist, colour=segment.sleeve, shine=0.0),
        ]

    def truth_detections(self, state: SceneState, rendered: Rendered) -> tuple[Detection, ...]:
        """Boxes around what can be seen of hands and objects, as a perfect detector gives them.

        Args:
            state: The moment.
            rendered: How it was drawn.
        """
        labels = {
            HAND + IDS_PER_HAND * index: "left_hand" if hand.side is Side.LEFT else "right_hand"
            for index, hand in enumerate(state.hands)
        }
        labels |= {OBJECT + IDS_PER_HAND * thing.hand: thing.object_id for thing in state.objects}
        boxes = {id_: _visible_box(rendered.ids == id_) for id_ in labels}
        return tuple(Detection(labels[id_], box) for id_, box in boxes.items() if box is not None)


def _placed(segment: Segment, since: float) -> tuple[Array, Array]:
    """Rotation (3, 3) camera-from-hand and wrist (3,), metres, of the hand's own side."""
    rotation, middle = segment.motion.at(since)
    wrist = middle - rotation @ segment.middle
    if segment.side is Side.LEFT:
        return MIRROR @ rotation @ MIRROR, MIRROR @ wrist
    return rotation, wrist


def _visible_box(mask: NDArray[np.bool_]) -> Box | None:
    """The box around the outer edges of the pixels, or None when there are too few."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if np.count_nonzero(mask) < _MIN_VISIBLE:
        return None
    return Box(columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5)


def _as_mesh(model: HandModel) -> Mesh:
    return Mesh(model.arrays.v_template, model.faces.astype(np.int32))
