"""Labels of samples as arrays and back, and the part of a picture that is worth keeping."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import NUM_BETAS, NUM_JOINTS, NUM_MANO_JOINTS, WRIST, Side
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.datatypes import Array, Box, Camera, ManoParameters
from hoisdf_ros.errors import DataError

ROOM = 1.5
"""Side of what is kept, as a multiple of the crop's: for turning and zooming."""

_CROP_MARGIN = 1.5
_SHAPES: dict[str, tuple[int, ...]] = {
    "joints": (NUM_JOINTS, 3),
    "orient": (3,),
    "pose": (3 * (NUM_MANO_JOINTS - 1),),
    "betas": (NUM_BETAS,),
    "object_rotation": (3, 3),
    "object_translation": (3,),
    "hand_box": (4,),
    "object_box": (4,),
}


def cut_out(sample: Sample) -> Sample:
    """The part of a sample around hand and object, with its own camera.

    Raises:
        DataError: It has no hand.
    """
    boxes = [box.array() for box in (sample.hand_box, sample.object_box) if box is not None]
    if not boxes:
        raise DataError(f"sample '{sample.key}' has no hand: there is nothing to cut out")
    size = np.array([sample.camera.width, sample.camera.height])
    corners = np.array(boxes).reshape(-1, 2, 2)
    grown = (_CROP_MARGIN - 1) / 2 * (corners[:, 1] - corners[:, 0])
    low = np.clip((corners[:, 0] - grown).min(axis=0), 0, size)
    high = np.clip((corners[:, 1] + grown).max(axis=0), 0, size)
    half = ROOM * (high - low).max() / 2
    x0, y0 = np.clip(np.floor((low + high) / 2 - half), 0, size - 1).astype(int).tolist()
    x1, y1 = np.clip(np.ceil((low + high) / 2 + half), 1, size).astype(int).tolist()
    window = (slice(y0, y1), slice(x0, x1))
    camera = sample.camera
    return replace(
        sample,
        image=np.ascontiguousarray(sample.image[window]),
        camera=replace(camera, cx=camera.cx - x0, cy=camera.cy - y0, width=x1 - x0, height=y1 - y0),
        hand_mask=None if sample.hand_mask is None else sample.hand_mask[window],
        object_mask=None if sample.object_mask is None else sample.object_mask[window],
        hand_box=_shifted(sample.hand_box, x0, y0),
        object_box=_shifted(sample.object_box, x0, y0),
        depth=None if sample.depth is None else sample.depth[window],
    )


def _shifted(box: Box | None, x: int, y: int) -> Box | None:
    return None if box is None else Box(box.x0 - x, box.y0 - y, box.x1 - x, box.y1 - y)


def labels_of(samples: list[Sample]) -> dict[str, NDArray[Any]]:
    """Arrays by name, a row a sample: NaN, or an empty object id, where something is unknown."""
    rows = [_row(sample) for sample in samples]
    labels: dict[str, NDArray[Any]] = {
        name: np.array([_or_nan(row[name], shape) for row in rows], dtype=np.float32)
        for name, shape in _SHAPES.items()
    }
    cameras = [sample.camera for sample in samples]
    return labels | {
        "camera": np.array([[c.fx, c.fy, c.cx, c.cy] for c in cameras]),
        "side": np.array([sample.side.value for sample in samples], dtype=np.int8),
        "object_id": np.array([sample.object_id or "" for sample in samples]),
        "key": np.array([sample.key for sample in samples]),
    }


def _row(sample: Sample) -> dict[str, Array | None]:
    mano = sample.mano
    return {
        "joints": sample.joints,
        "orient": None if mano is None else mano.orient,
        "pose": None if mano is None else mano.pose,
        "betas": None if mano is None else mano.betas,
        "object_rotation": sample.object_rotation,
        "object_translation": sample.object_translation,
        "hand_box": None if sample.hand_box is None else sample.hand_box.array(),
        "object_box": None if sample.object_box is None else sample.object_box.array(),
    }


def _or_nan(value: Array | None, shape: tuple[int, ...]) -> Array:
    return np.full(shape, np.nan) if value is None else value


def sample_of(
    labels: dict[str, NDArray[Any]],
    place: int,
    image: NDArray[np.uint8],
    ids: NDArray[Any],
    depth: NDArray[np.float32] | None,
) -> Sample:
    """The sample in a row.

    Args:
        labels: From `labels_of`.
        place: The row.
        image: (H, W, 3) uint8 RGB.
        ids: (H, W) 1 on the hand, 2 on the object.
        depth: (H, W) metres or None.

    Raises:
        LookupError: A label is missing.
        DataError: Labels and pictures contradict each other.
    """
    known = {name: _known(labels[name][place]) for name in _SHAPES}
    fx, fy, cx, cy = labels["camera"][place].tolist()
    height, width = image.shape[:2]
    joints, object_id = known["joints"], str(labels["object_id"][place])
    root = None if joints is None else joints[WRIST]
    boxes = [known[name] for name in ("hand_box", "object_box")]
    hand_box, object_box = (None if box is None else Box(*box.tolist()) for box in boxes)
    return Sample(
        key=str(labels["key"][place]),
        image=image,
        camera=Camera(fx, fy, cx, cy, width, height),
        side=Side(int(labels["side"][place])),
        hand_root=root,
        joints=joints,
        mano=_mano(known, root),
        object_id=object_id or None,
        object_rotation=known["object_rotation"],
        object_translation=known["object_translation"],
        hand_mask=None if root is None else ids == 1,
        object_mask=ids == 2 if object_id else None,
        hand_box=hand_box,
        object_box=object_box,
        depth=depth,
    )


def _known(values: NDArray[Any]) -> Array | None:
    """The values, or None when they are not all known."""
    return values.astype(float) if np.isfinite(values).all() else None


def _mano(known: dict[str, Array | None], root: Array | None) -> ManoParameters | None:
    orient, pose, betas = (known[name] for name in ("orient", "pose", "betas"))
    if root is None or orient is None or pose is None or betas is None:
        return None
    return ManoParameters(orient, pose, betas, root)
