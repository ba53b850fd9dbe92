"""What is true of the demo scene, in the shape of an estimate, so that it can be compared."""

from collections.abc import Mapping

import numpy as np

from hoisdf_ros.conventions import WRIST, RootSource, Side
from hoisdf_ros.data.scene import HandTruth, ObjectTruth, SceneState
from hoisdf_ros.datatypes import (
    Array,
    Box,
    Camera,
    Detection,
    Estimate,
    HandEstimate,
    Mesh,
    ObjectEstimate,
    Root,
)
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid
from hoisdf_ros.postprocessing.objects import joint_contact


class TruthTeller:
    """Turns scene states into estimates without error.

    Args:
        camera: Of the pictures.
        meshes, grids: Of the objects, by object id.
    """

    def __init__(
        self,
        camera: Camera,
        meshes: Mapping[str, Mesh],
        grids: Mapping[str, SignedDistanceGrid],
    ) -> None:
        self._camera = camera
        self._meshes, self._grids = meshes, grids

    def __call__(self, state: SceneState, detections: tuple[Detection, ...] = ()) -> Estimate:
        """All hands and objects of a moment; the ids last as long as the hand stays.

        Args:
            state: The moment.
            detections: Boxes of what can be seen; where one is missing, the box of all of it.
        """
        boxes = {detection.label: detection.box for detection in detections}
        hands = tuple(
            self._hand(state.segment + index, hand, boxes) for index, hand in enumerate(state.hands)
        )
        objects = tuple(self._object(thing, hands[thing.hand], boxes) for thing in state.objects)
        return Estimate(hands, objects)

    def _hand(self, number: int, hand: HandTruth, boxes: Mapping[str, Box]) -> HandEstimate:
        label = "left_hand" if hand.side is Side.LEFT else "right_hand"
        return HandEstimate(
            id=number,
            side=hand.side,
            side_score=1.0,
            score=1.0,
            joints=hand.joints,
            joint_stddev=np.zeros(len(hand.joints)),
            joints_uv=project(hand.joints, self._camera),
            vertices=hand.vertices,
            wrist_rotation=hand.wrist_rotation,
            mano=hand.mano,
            root=Root(hand.joints[WRIST], np.zeros((3, 3)), RootSource.FIXED),
            roi=boxes.get(label) or self._box(hand.vertices),
        )

    def _object(
        self, thing: ObjectTruth, hand: HandEstimate, boxes: Mapping[str, Box]
    ) -> ObjectEstimate:
        mesh = self._meshes[thing.object_id]
        distance = self._grids[thing.object_id](
            (hand.vertices - thing.translation) @ thing.rotation
        )
        vertices = mesh.vertices @ thing.rotation.T + thing.translation
        return ObjectEstimate(
            id=hand.id,
            object_id=thing.object_id,
            hand_id=hand.id,
            score=1.0,
            rotation=thing.rotation,
            translation=thing.translation,
            covariance=np.zeros((6, 6)),
            size=mesh.size,
            min_hand_distance=float(distance.min()),
            joint_contact=joint_contact(hand, distance),
            roi=boxes.get(thing.object_id) or self._box(vertices),
        )

    def _box(self, points: Array) -> Box:
        """Around (N, 3) points in front of the camera, metres; may leave the image."""
        pixels = project(points, self._camera)
        (x0, y0), (x1, y1) = np.nanmin(pixels, axis=0).tolist(), np.nanmax(pixels, axis=0).tolist()
        return Box(x0 - 0.5, y0 - 0.5, x1 + 0.5, y1 + 0.5)
