"""Which frames of DexYCB there are: by its folders, or by a published annotation file."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hoisdf_ros.conventions import NUM_BETAS, Side
from hoisdf_ros.data.dexycb_splits import NUM_SEQUENCES, SERIALS, SUBJECTS, Split, split_named
from hoisdf_ros.data.folder import Folder
from hoisdf_ros.data.ycb import YCB_OBJECTS
from hoisdf_ros.datatypes import Array

WIDTH, HEIGHT = 640, 480
HAND_MARGIN = 1.5

_SEQUENCE_NAME = re.compile(r"\d{8}_\d{6}")
_COLOR_FILE = re.compile(
    r"(?P<recording>[^/]+/\d{8}_\d{6})/(?P<serial>\d{12})/color_(?P<frame>\d{6})\.jpg"
)
_META = ("num_frames", "ycb_ids", "ycb_grasp_ind", "mano_sides", "mano_calib")


@dataclass(frozen=True, eq=False)
class Recording:
    """One sequence: a person takes one object with one hand, seen by eight cameras.

    Args:
        name: ``<subject>/<sequence>``, also its folder.
        num_frames: Frames of each camera.
        side: The hand.
        class_id: Of the grasped object, from 1; also its value in the label image.
        grasp: Place of the grasped object among those on the table.
        betas: (10,) hand shape; the same for both hands of a person.
    """

    name: str
    num_frames: int
    side: Side
    class_id: int
    grasp: int
    betas: Array

    @property
    def object_id(self) -> str:
        """Name of the grasped object."""
        return YCB_OBJECTS[self.class_id - 1]


@dataclass(frozen=True, eq=False)
class FrameIndex:
    """Frames in order.

    Args:
        recordings: The sequences they come from.
        frames: (N, 3) int32: place in ``recordings``, place in `SERIALS`, number of the frame.
    """

    recordings: tuple[Recording, ...]
    frames: NDArray[np.int32]


def index_split(folder: Folder, name: str, *, right_only: bool) -> FrameIndex:
    """The frames of an official split, in the official order.

    Args:
        folder: The data set.
        name: Such as ``s0-train``.
        right_only: Leave out the sequences of left hands.

    Raises:
        DataError: Unknown split, or a file or folder that it needs is missing or damaged.
    """
    split = split_named(name)
    names = [
        name for subject in split.subjects for name in _sequences(folder, SUBJECTS[subject], split)
    ]
    for recording in names:
        for camera in split.cameras:
            folder.directory(folder.root / recording / SERIALS[camera])
    found = _read_recordings(folder, names)
    kept = [one for one in found if one.side is Side.RIGHT or not right_only]
    clips = [
        _clip(place, camera, np.arange(recording.num_frames))
        for place, recording in enumerate(kept)
        for camera in split.cameras
    ]
    return FrameIndex(tuple(kept), np.concatenate([np.empty((0, 3), np.int32), *clips]))


def _sequences(folder: Folder, subject: str, split: Split) -> list[str]:
    """Names of a subject's sequences in the split; all must be there, since places count."""
    path = folder.directory(folder.root / subject)
    names = sorted(
        entry.name
        for entry in path.iterdir()
        if _SEQUENCE_NAME.fullmatch(entry.name) and entry.is_dir()
    )
    if len(names) != NUM_SEQUENCES:
        raise folder.damaged(
            path,
            f"it has {len(names)} sequences, expected {NUM_SEQUENCES}: the splits count them, so "
            "none may be missing",
        )
    return [f"{subject}/{names[place]}" for place in split.sequences]


def _clip(recording: int, camera: int, numbers: NDArray[Any]) -> NDArray[np.int32]:
    """(N, 3) the frames of one camera."""
    places = np.full_like(numbers, recording), np.full_like(numbers, camera)
    return np.stack([*places, numbers], axis=1).astype(np.int32)


def _read_recordings(folder: Folder, names: Iterable[str]) -> list[Recording]:
    """Read ``meta.yml`` of each sequence, and each hand's shape once."""
    shapes: dict[str, Array] = {}
    return [_read_recording(folder, name, shapes) for name in names]


def _read_recording(folder: Folder, name: str, shapes: dict[str, Array]) -> Recording:
    path = folder.root / name / "meta.yml"
    meta = folder.yaml(path, _META)
    try:
        side = Side[str(meta["mano_sides"][0]).upper()]
        calibration = str(meta["mano_calib"][0])
        grasp, num_frames = int(meta["ycb_grasp_ind"]), int(meta["num_frames"])
        class_id = int(meta["ycb_ids"][grasp])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise folder.damaged(path, f"its entries {', '.join(_META)} do not fit") from error
    if not 1 <= class_id <= len(YCB_OBJECTS) or grasp < 0 or num_frames < 0:
        raise folder.damaged(
            path,
            f"class {class_id} at place {grasp} in {num_frames} frames, expected a class of 1 to "
            f"{len(YCB_OBJECTS)}",
        )
    if calibration not in shapes:
        source = folder.root / "calibration" / f"mano_{calibration}" / "mano.yml"
        betas = folder.yaml(source, ["betas"])["betas"]
        shapes[calibration] = folder.numbers(source, "betas", betas, NUM_BETAS)
    return Recording(name, num_frames, side, class_id, grasp, shapes[calibration])


def index_published(folder: Folder, path: Path, *, right_only: bool) -> FrameIndex:
    """The frames that an annotation file of the HOISDF and HFL-Net authors lists.

    Only the choice of frames is taken from ``dex_ycb_s0_{train,test}_data[_cut].json``: all else
    in it repeats the label files, which are read for the masks anyway. The published rule of
    `hand_in_picture` is applied, as it is there to the files without ``_cut``.

    Args:
        folder: The data set.
        path: The file.
        right_only: Leave out left hands.

    Raises:
        DataError: The file is missing or not such a file, or a sequence it names is missing.
    """
    text = folder.file(path).read_text(encoding="utf-8", errors="replace")
    try:
        # the hook drops each entry's arrays as it is read: the file has gigabytes of them
        stored = json.loads(text, object_hook=_trimmed)
    except ValueError as error:
        raise folder.damaged(path, f"it is not JSON ({error})") from error
    if not isinstance(stored, dict) or not all(re.fullmatch(r"id_\d+", key) for key in stored):
        raise folder.damaged(path, "expected entries named id_0, id_1, ...")
    chosen: list[tuple[str, int, int]] = []
    cut = path.stem.endswith("_cut")
    for key in sorted(stored, key=lambda key: int(key[3:])):
        entry = stored[key]
        match = _COLOR_FILE.fullmatch(entry.file) if isinstance(entry, _Entry) else None
        if match is None or match["serial"] not in SERIALS:
            raise folder.damaged(path, f"entry {key} has no color_file of DexYCB")
        if cut or entry.in_picture:
            chosen.append((match["recording"], SERIALS.index(match["serial"]), int(match["frame"])))
    return _index_of(folder, chosen, right_only=right_only)


def _index_of(
    folder: Folder, chosen: Sequence[tuple[str, int, int]], *, right_only: bool
) -> FrameIndex:
    """The index of frames given one by one as sequence, camera and number."""
    found = _read_recordings(folder, dict.fromkeys(name for name, _, _ in chosen))
    kept = [one for one in found if one.side is Side.RIGHT or not right_only]
    places = {recording.name: place for place, recording in enumerate(kept)}
    rows = [(places[name], camera, frame) for name, camera, frame in chosen if name in places]
    return FrameIndex(tuple(kept), np.array(rows, dtype=np.int32).reshape(-1, 3))


@dataclass(frozen=True)
class _Entry:
    """What is kept of one entry of a published file."""

    file: str
    in_picture: bool


def _trimmed(entry: dict[str, Any]) -> "_Entry | dict[str, Any]":
    if "color_file" not in entry:
        return entry
    try:
        in_picture = hand_in_picture(entry.get("joint_2d", ()))
    except ValueError:
        in_picture = False
    return _Entry(str(entry["color_file"]), in_picture)


def hand_in_picture(joints_uv: ArrayLike) -> bool:
    """Whether a hand counts on DexYCB Full: its box, enlarged, begins inside the picture.

    kept: a box that ends left of or above the picture counts too, as published; -1 everywhere,
    which means no annotation, does not.

    Args:
        joints_uv: (..., 2) pixels of the joints.

    Raises:
        ValueError: They are not pairs of numbers.
    """
    pixels = np.asarray(joints_uv, dtype=float).reshape(-1, 2)
    if not len(pixels) or not np.isfinite(pixels).all():
        return False
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    size = HAND_MARGIN * (high - low)
    start = (low + high - size) / 2
    return bool((size > 0).all() and (start <= [WIDTH - 1, HEIGHT - 1]).all())
