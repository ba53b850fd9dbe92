"""One labelled picture: what every data set gives and what training and evaluation take."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hoisdf_ros.conventions import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, WRIST, Side
from hoisdf_ros.datatypes import Array, Box, Camera, ManoParameters
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project

_SAME_PLACE_M = 1e-5
_ROTATION_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture with at most one hand and one object, and what is known about them.

    What is unknown is None, never a made-up value. Left hands are as they are; mirroring is
    the crop's business.

    Args:
        key: Names this sample within its data set, stable from run to run.
        image: (H, W, 3) uint8 RGB.
        camera: Of ``image``; everything in metres is in its optical frame.
        side: The person's hand; UNKNOWN when there is no hand.
        hand_root: (3,) wrist, metres.
        joints: (21, 3) in our joint order, metres; the first is ``hand_root``.
        mano: Of the hand model of this side, on a flat mean; its translation is ``hand_root``.
        object_id: Such as ``006_mustard_bottle``.
        object_rotation: (3, 3) camera-from-mesh.
        object_translation: (3,) origin of the mesh frame, metres.
        hand_mask, object_mask: (H, W) bool, what is seen of them.
        hand_box: Around the joints, pixels, no margin; may reach beyond the image.
        object_box: Around the projected corners of the mesh's own box, likewise.
        depth: (H, W) float32 metres registered to ``image``, NaN where unknown.

    Raises:
        DataError: Arrays of a wrong shape or type, not finite, or in contradiction.
    """

    key: str
    image: NDArray[np.uint8]
    camera: Camera
    side: Side = Side.UNKNOWN
    hand_root: Array | None = None
    joints: Array | None = None
    mano: ManoParameters | None = None
    object_id: str | None = None
    object_rotation: Array | None = None
    object_translation: Array | None = None
    hand_mask: NDArray[np.bool_] | None = None
    object_mask: NDArray[np.bool_] | None = None
    hand_box: Box | None = None
    object_box: Box | None = None
    depth: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Refuse what would train or score wrongly without a word."""
        self._check_pictures()
        self._check_numbers()
        self._check_hand()
        self._check_object()

    def _check_pictures(self) -> None:
        size = (self.camera.height, self.camera.width)
        pictures = (
            ("image", self.image, (*size, 3), np.uint8),
            ("hand_mask", self.hand_mask, size, np.bool_),
            ("object_mask", self.object_mask, size, np.bool_),
            ("depth", self.depth, size, np.float32),
        )
        for name, value, shape, kind in pictures:
            if value is not None and (value.shape != shape or value.dtype != kind):
                raise self._error(
                    f"{name} is {value.dtype} {value.shape}, expected {np.dtype(kind)} {shape} as "
                    "the camera says"
                )

    def _check_numbers(self) -> None:
        numbers: list[tuple[str, Array | None, tuple[int, ...]]] = [
            ("hand_root", self.hand_root, (3,)),
            ("joints", self.joints, (NUM_JOINTS, 3)),
            ("object_rotation", self.object_rotation, (3, 3)),
            ("object_translation", self.object_translation, (3,)),
        ]
        if self.mano is not None:
            numbers += [
                ("mano.orient", self.mano.orient, (3,)),
                ("mano.pose", self.mano.pose, (3 * (NUM_MANO_JOINTS - 1),)),
                ("mano.betas", self.mano.betas, (NUM_BETAS,)),
                ("mano.translation", self.mano.translation, (3,)),
            ]
        for name, value, shape in numbers:
            if value is not None and (value.shape != shape or not np.isfinite(value).all()):
                raise self._error(f"{name} is {value.tolist()}, expected finite {shape}")

    def _check_hand(self) -> None:
        wrists = {
            "the first of joints": None if self.joints is None else self.joints[WRIST],
            "mano.translation": None if self.mano is None else self.mano.translation,
        }
        for name, wrist in wrists.items():
            if wrist is None:
                continue
            if self.hand_root is None or np.abs(wrist - self.hand_root).max() > _SAME_PLACE_M:
                raise self._error(
                    f"{name} is {wrist.tolist()} and hand_root {self.hand_root}, expected the "
                    "same place: the wrist joint, not a hand model's own translation"
                )
        if self.hand_root is not None and self.side is Side.UNKNOWN:
            raise self._error("it has a hand of side UNKNOWN, expected LEFT or RIGHT")

    def _check_object(self) -> None:
        rotation, translation = self.object_rotation, self.object_translation
        if rotation is None or translation is None:
            if rotation is not None or translation is not None:
                raise self._error("it has half an object pose, expected rotation and translation")
            return
        if self.object_id is None:
            raise self._error("it has an object pose, expected object_id to name the mesh")
        error = np.abs(rotation.T @ rotation - np.eye(3)).max()
        if error > _ROTATION_TOLERANCE or np.linalg.det(rotation) < 0:
            raise self._error(f"object_rotation is {rotation.tolist()}, expected a rotation")

    def _error(self, detail: str) -> DataError:
        return DataError(f"sample '{self.key}': {detail}; check the loader or the file it read")


class SampleSet(Protocol):
    """A data set: samples by number."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of every sample, in order."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def usable(self, index: int) -> bool:
        """Whether the hand is labelled, and the object if there is one; cheaper than loading it."""
        ...


def box_around(points: ArrayLike, camera: Camera) -> Box | None:
    """The box around points as the camera sees them.

    Args:
        points: (N, 3) metres, camera frame.
        camera: The camera.

    Returns:
        Pixels, not clipped to the image; None when a point is not in front of the camera or all
        lie on one line of the image.
    """
    pixels = project(points, camera)
    if not np.isfinite(pixels).all():
        return None
    (x0, y0), (x1, y1) = pixels.min(axis=0), pixels.max(axis=0)
    return Box(float(x0), float(y0), float(x1), float(y1)) if x1 > x0 and y1 > y0 else None
