"""DexYCB (Chao et al., CVPR 2021), read from its official folders.

Quirks that end here: finger poses are principal components on MANO's mean; the hand model's
translation is not the wrist, so the wrist comes from ``joint_3d``; -1 and 0 mean "not annotated".
Cameras are OpenCV's, metres.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import NUM_JOINTS, WRIST, Side
from hoisdf_ros.data.dexycb_index import (
    HEIGHT,
    WIDTH,
    FrameIndex,
    Recording,
    hand_in_picture,
    index_published,
    index_split,
)
from hoisdf_ros.data.dexycb_splits import SERIALS
from hoisdf_ros.data.folder import Folder
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.data.ycb import object_corners
from hoisdf_ros.datatypes import Array, Camera, ManoParameters
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.hand_model.assets import HandArrays

HAND_LABEL = 255
MILLIMETRES = 0.001
ADVICE = (
    "expected the folder that holds 20200709-subject-01 to 20201022-subject-10, calibration and "
    "models; download what is missing from https://dex-ycb.github.io and unpack it there"
)

_POSE, _POINTS, _PIXELS = "pose_m", "joint_3d", "joint_2d"


class DexYcb:
    """One split of DexYCB; loads a frame when it is asked for.

    A person's betas were fitted to the right hand and are given for the left one too, with a
    left MANO file whose shape directions are the right one's unmirrored (dex-ycb-toolkit issue
    28). So on left hands ``joints`` agree with MANO_LEFT.pkl as it is distributed, and differ by
    millimetres from a mirrored right hand with the same betas, which has the person's shape.

    Args:
        root: The folder that holds ``20200709-subject-01`` and so on.
        split: ``s0-train`` to ``s3-test``, or the path of a published annotation ``.json``.
        hands: MANO by side, to turn principal components into rotations; without any, samples
            have no hand model parameters.
        right_only: Leave out left hands, as the published "cut" files do; those also drop frames,
            so give their path as ``split`` to reproduce their numbers.
        with_depth: Read the depth maps too.

    Raises:
        DataError: Unknown split, missing or damaged files, or a hand model that is needed.
    """

    def __init__(
        self,
        root: Path,
        split: str,
        hands: Mapping[Side, HandArrays] | None = None,
        *,
        right_only: bool = False,
        with_depth: bool = False,
    ) -> None:
        self._folder = Folder(root, "DexYCB", ADVICE)
        self._hands = dict(hands or {})
        self._with_depth = with_depth
        self._folder.directory(self._models)
        if split.endswith(".json"):
            index = index_published(self._folder, Path(split), right_only=right_only)
        else:
            index = index_split(self._folder, split, right_only=right_only)
        self._index: FrameIndex = index
        self._refuse_missing_hands()
        self._corners = {
            name: object_corners(self._folder, self._models, name)
            for name in sorted({recording.object_id for recording in index.recordings})
        }
        used = sorted(set(index.frames[:, 1].tolist()))
        self._cameras = {place: self._read_camera(SERIALS[place]) for place in used}
        self._keys = tuple(
            f"{index.recordings[recording].name}/{SERIALS[camera]}/{frame:06d}"
            for recording, camera, frame in index.frames.tolist()
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """``<subject>/<sequence>/<camera>/<frame>`` of every sample."""
        return self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def usable(self, index: int) -> bool:
        """Whether hand and object are annotated and the hand is in the picture."""
        recording, _ = self._located(index)
        names = [_POINTS, _PIXELS, "pose_y"]
        path, labels = self._labels(index, names)
        annotated = _joints(self._folder, path, labels[_POINTS]) is not None
        pose = _object_pose(self._folder, path, labels["pose_y"], recording)
        return annotated and pose is not None and hand_in_picture(labels[_PIXELS])

    def __getitem__(self, index: int) -> Sample:
        """Load a frame.

        Raises:
            DataError: A file of this frame is missing or damaged.
        """
        recording, camera = self._located(index)
        image = self._folder.rgb(self._file(index, "color_{}.jpg"))
        path, labels = self._labels(index, ["seg", "pose_y", _POSE, _POINTS])
        joints = _joints(self._folder, path, labels[_POINTS])
        pose = _object_pose(self._folder, path, labels["pose_y"], recording)
        corners = None
        if pose is not None:
            corners = transform(self._corners[recording.object_id], pose[:, :3], pose[:, 3])
        seg = labels["seg"]
        return Sample(
            key=self._keys[index],
            image=image,
            camera=camera,
            side=recording.side,
            hand_root=None if joints is None else joints[WRIST],
            joints=joints,
            mano=None if joints is None else self._mano(path, labels[_POSE], recording, joints),
            object_id=recording.object_id,
            object_rotation=None if pose is None else pose[:, :3],
            object_translation=None if pose is None else pose[:, 3],
            hand_mask=np.asarray(seg == HAND_LABEL),
            object_mask=np.asarray(seg == recording.class_id),
            hand_box=None if joints is None else box_around(joints, camera),
            object_box=None if corners is None else box_around(corners, camera),
            depth=self._depth(index) if self._with_depth else None,
        )

    @property
    def _models(self) -> Path:
        return self._folder.root / "models"

    def _located(self, index: int) -> tuple[Recording, Camera]:
        recording, camera, _ = self._index.frames[index].tolist()
        return self._index.recordings[recording], self._cameras[camera]

    def _file(self, index: int, pattern: str) -> Path:
        clip, _, frame = self._keys[index].rpartition("/")
        return self._folder.root / clip / pattern.format(frame)

    def _labels(self, index: int, names: list[str]) -> tuple[Path, dict[str, NDArray[Any]]]:
        path = self._file(index, "labels_{}.npz")
        return path, self._folder.arrays(path, names)

    def _depth(self, index: int) -> NDArray[np.float32]:
        path = self._file(index, "aligned_depth_to_color_{}.png")
        stored = self._folder.picture(path, cv2.IMREAD_UNCHANGED)
        if stored.dtype != np.uint16 or stored.ndim != 2:
            raise self._folder.damaged(path, f"it is {stored.dtype}, expected uint16 millimetres")
        metres = stored.astype(np.float32) * np.float32(MILLIMETRES)
        metres[stored == 0] = np.nan
        return metres

    def _read_camera(self, serial: str) -> Camera:
        name = f"{serial}_{WIDTH}x{HEIGHT}.yml"
        path = self._folder.root / "calibration" / "intrinsics" / name
        color = self._folder.yaml(path, ["color"])["color"]
        known = color if isinstance(color, dict) else {}
        values = [known.get(entry) for entry in ("fx", "fy", "ppx", "ppy")]
        fx, fy, cx, cy = self._folder.numbers(path, "color", values, 4).tolist()
        return Camera(fx, fy, cx, cy, WIDTH, HEIGHT)

    def _refuse_missing_hands(self) -> None:
        for side in {recording.side for recording in self._index.recordings}:
            if self._hands and side not in self._hands:
                raise DataError(
                    f"DexYCB: MANO_{side.name}.pkl is needed for the {side.name.lower()} hands of "
                    "this split: give it in the hand model folder, or take right hands only. A "
                    "mirrored hand will not do, its principal components are others"
                )

    def _mano(
        self, path: Path, stored: NDArray[Any], recording: Recording, joints: Array
    ) -> ManoParameters | None:
        """Rotation vectors on a flat mean from principal components; None without a hand model."""
        hand = self._hands.get(recording.side)
        pose = self._folder.numbers(path, _POSE, stored, 51)
        if hand is None or not pose.any():
            return None
        return ManoParameters(
            orient=pose[:3],
            pose=pose[3:48] @ hand.hands_components + hand.hands_mean,
            betas=recording.betas,
            translation=joints[WRIST],
        )


def _joints(folder: Folder, path: Path, stored: NDArray[Any]) -> Array | None:
    """(21, 3) metres, already in our order; None where all are -1."""
    joints = folder.numbers(path, _POINTS, stored, 3 * NUM_JOINTS).reshape(NUM_JOINTS, 3)
    return None if (joints == -1).all() else joints


def _object_pose(
    folder: Folder, path: Path, stored: NDArray[Any], recording: Recording
) -> Array | None:
    """(3, 4) camera-from-mesh of the grasped object; None where it is all zero."""
    if stored.ndim != 3 or stored.shape[1:] != (3, 4) or len(stored) <= recording.grasp:
        raise folder.damaged(
            path, f"'pose_y' is {stored.shape}, expected (n, 3, 4) with n > {recording.grasp}"
        )
    pose = folder.numbers(path, "pose_y", stored[recording.grasp], 12).reshape(3, 4)
    return pose if pose.any() else None
