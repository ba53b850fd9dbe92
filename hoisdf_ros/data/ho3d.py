"""HO-3D version 2 (Hampali et al., CVPR 2020), read from its official folders; right hands only.

Quirks that end here: its camera frame is OpenGL's (x right, y up, looking along -z); joints are in
MANO's order; depth hides in two channels of a colour picture; annotations are pickles. Version 3
differs in the format of its pictures, which is recognised.
"""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import HAND_ORDER_FROM_MANO, NUM_JOINTS, WRIST, Side
from hoisdf_ros.data.folder import Folder
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.datatypes import Array, Box, Camera, ManoParameters
from hoisdf_ros.errors import DataError, HandModelError
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.restricted_pickle import read_pickled_values

SPLITS = ("train", "evaluation")
CV_FROM_GL: Array = np.diag([1.0, -1.0, -1.0])
"""Takes points of OpenGL's camera frame to ours; its inverse is itself."""
DEPTH_UNIT_M = 0.00012498664727900177
MASK_THRESHOLD = 200
ADVICE = (
    "expected the folder that holds train, evaluation, train.txt and evaluation.txt; get HO-3D v2 "
    "by way of https://github.com/shreyashampali/ho3d and unpack what is missing there"
)

_NAME = re.compile(r"\w+/\d+")
_ENTRIES = (
    "camMat",
    "objName",
    "objRot",
    "objTrans",
    "objCorners3DRest",
    "handJoints3D",
    "handPose",
    "handBeta",
    "handBoundingBox",
)


class Ho3d:
    """One split of HO-3D; loads a frame when it is asked for.

    In the evaluation split only the wrist and the hand's box are known, and nothing is masked.

    Args:
        root: The folder that holds ``train.txt``.
        split: ``train`` or ``evaluation``.
        with_depth: Read the depth maps too.

    Raises:
        DataError: Unknown split, or missing or damaged files.
    """

    def __init__(self, root: Path, split: str, *, with_depth: bool = False) -> None:
        if split not in SPLITS:
            raise DataError(f"HO-3D has no split '{split}', expected one of {', '.join(SPLITS)}")
        self._folder = Folder(root, "HO-3D", ADVICE)
        self._root = self._folder.directory(root / split)
        self._with_depth = with_depth
        self._masked = split == "train"
        self._keys = self._read_list(root / f"{split}.txt")
        parts = ("rgb", "meta", *(["seg"] if self._masked else []))
        for sequence in dict.fromkeys(key.split("/")[0] for key in self._keys):
            for part in (*parts, *(["depth"] if with_depth else [])):
                self._folder.directory(self._root / sequence / part)

    @property
    def keys(self) -> tuple[str, ...]:
        """``<sequence>/<frame>`` of every sample, in the order of a submission."""
        return self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def usable(self, index: int) -> bool:
        """Whether hand and object are annotated, as far as this split annotates them."""
        meta = self._meta(index)
        return meta.get("objRot") is not None and meta.get("handJoints3D") is not None

    def __getitem__(self, index: int) -> Sample:
        """Load a frame.

        Raises:
            DataError: A file of this frame is missing or damaged.
        """
        meta = self._meta(index)
        image = self._folder.rgb(self._file(index, "rgb", ".png", ".jpg"))
        camera = self._camera(index, meta, (image.shape[1], image.shape[0]))
        root, joints = self._joints(index, meta)
        pose = self._object_pose(index, meta)
        corners = None
        if pose is not None:
            corners = transform(self._corners(index, meta), *pose)
        hand_mask, object_mask = self._masks(index, camera) if self._masked else (None, None)
        return Sample(
            key=self._keys[index],
            image=image,
            camera=camera,
            side=Side.RIGHT,
            hand_root=root,
            joints=joints,
            mano=None if joints is None else self._mano(index, meta, joints),
            object_id=name if isinstance(name := meta.get("objName"), str) else None,
            object_rotation=None if pose is None else pose[0],
            object_translation=None if pose is None else pose[1],
            hand_mask=hand_mask,
            object_mask=object_mask,
            hand_box=self._hand_box(index, meta, joints, camera),
            object_box=None if corners is None else box_around(corners, camera),
            depth=self._depth(index) if self._with_depth else None,
        )

    def _read_list(self, path: Path) -> tuple[str, ...]:
        lines = self._folder.file(path).read_text(encoding="utf-8", errors="replace").split()
        odd = next((line for line in lines if not _NAME.fullmatch(line)), None)
        if odd is not None or not lines:
            raise self._folder.damaged(path, f"it holds '{odd or ''}', expected <sequence>/<frame>")
        return tuple(lines)

    def _file(self, index: int, part: str, *suffixes: str) -> Path:
        """The first of the files of a frame that is there; the first one if none is."""
        sequence, frame = self._keys[index].split("/")
        paths = [self._root / sequence / part / f"{frame}{suffix}" for suffix in suffixes]
        return next((path for path in paths if path.is_file()), paths[0])

    def _meta_file(self, index: int) -> Path:
        return self._file(index, "meta", ".pkl")

    def _meta(self, index: int) -> dict[str, NDArray[Any] | str | None]:
        path = self._folder.file(self._meta_file(index))
        try:
            return read_pickled_values(path, _ENTRIES, ADVICE)
        except HandModelError as error:
            raise DataError(f"HO-3D: {error}") from error

    def _numbers(self, index: int, meta: dict[str, Any], name: str, size: int) -> Array:
        return self._folder.numbers(self._meta_file(index), name, meta.get(name), size)

    def _camera(self, index: int, meta: dict[str, Any], size: tuple[int, int]) -> Camera:
        matrix = self._numbers(index, meta, "camMat", 9).reshape(3, 3)
        return Camera(matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *size)

    def _joints(self, index: int, meta: dict[str, Any]) -> tuple[Array | None, Array | None]:
        """Wrist (3,) and joints (21, 3) in our order, metres; None for what is not annotated."""
        stored = meta.get("handJoints3D")
        if stored is None:
            return None, None
        count = 1 if np.size(stored) == 3 else NUM_JOINTS
        points = self._numbers(index, meta, "handJoints3D", 3 * count).reshape(-1, 3) @ CV_FROM_GL
        if count == 1:
            return points[0], None
        joints: Array = points[list(HAND_ORDER_FROM_MANO)]
        return joints[WRIST], joints

    def _mano(self, index: int, meta: dict[str, Any], joints: Array) -> ManoParameters | None:
        """Already rotation vectors on a flat mean; only the wrist's changes with the frame."""
        if meta.get("handPose") is None or meta.get("handBeta") is None:
            return None
        pose = self._numbers(index, meta, "handPose", 48)
        orient = CV_FROM_GL @ matrix_from_rotation_vector(pose[:3])
        return ManoParameters(
            orient=rotation_vector_from_matrix(orient),
            pose=pose[3:],
            betas=self._numbers(index, meta, "handBeta", 10),
            translation=joints[WRIST],  # handTrans is not the wrist
        )

    def _object_pose(self, index: int, meta: dict[str, Any]) -> tuple[Array, Array] | None:
        """Rotation (3, 3) camera-from-mesh and translation (3,); None when not annotated."""
        if meta.get("objRot") is None:
            return None
        vector = self._numbers(index, meta, "objRot", 3)
        place = self._numbers(index, meta, "objTrans", 3)
        return CV_FROM_GL @ matrix_from_rotation_vector(vector), CV_FROM_GL @ place

    def _corners(self, index: int, meta: dict[str, Any]) -> Array:
        """(8, 3) corners of the mesh's own box, metres, frame of the mesh."""
        return self._numbers(index, meta, "objCorners3DRest", 24).reshape(8, 3)

    def _hand_box(
        self, index: int, meta: dict[str, Any], joints: Array | None, camera: Camera
    ) -> Box | None:
        """Around the joints, or where those are secret the box that is given."""
        if joints is not None:
            return box_around(joints, camera)
        if meta.get("handBoundingBox") is None:
            return None
        x0, y0, x1, y1 = self._numbers(index, meta, "handBoundingBox", 4).tolist()
        if x1 <= x0 or y1 <= y0:
            detail = f"'handBoundingBox' is {[x0, y0, x1, y1]}, expected x0 < x1 and y0 < y1"
            raise self._folder.damaged(self._meta_file(index), detail)
        return Box(x0, y0, x1, y1)

    def _masks(self, index: int, camera: Camera) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Hand (red) and object (blue), enlarged to the image: they come at half its size."""
        seg = self._folder.rgb(self._file(index, "seg", ".jpg", ".png"))
        size = (camera.width, camera.height)
        whole = np.asarray(cv2.resize(seg, size, interpolation=cv2.INTER_NEAREST))
        return whole[:, :, 0] > MASK_THRESHOLD, whole[:, :, 2] > MASK_THRESHOLD

    def _depth(self, index: int) -> NDArray[np.float32]:
        """(H, W) metres: the low byte is red, the high one green; 0 means unknown."""
        path = self._file(index, "depth", ".png")
        stored = self._folder.rgb(path).astype(np.float32)  # before adding: uint8 overflows
        units = stored[:, :, 0] + 256 * stored[:, :, 1]
        metres: NDArray[np.float32] = units * np.float32(DEPTH_UNIT_M)
        metres[units == 0] = np.nan
        return metres
