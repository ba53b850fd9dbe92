"""A data set's folder on disk: what is missing or damaged is named, with what to do about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import DataError, NpzError, reason
from hoisdf_ros.npz import read_npz

_ENDS = {".jpg": b"\xff\xd9", ".png": b"IEND"}
_TAIL = 64  # bytes in which a picture's end mark is looked for


@dataclass(frozen=True)
class Folder:
    """The root of a data set.

    Args:
        root: Where it was unpacked.
        name: Of the data set.
        advice: What the root should hold and where to get it.
    """

    root: Path
    name: str
    advice: str

    def file(self, path: Path) -> Path:
        """The path itself.

        Raises:
            DataError: There is no such file.
        """
        if path.is_file():
            return path
        raise self._missing(path)

    def directory(self, path: Path) -> Path:
        """The path itself.

        Raises:
            DataError: There is no such folder.
        """
        if path.is_dir():
            return path
        raise self._missing(path)

    def _missing(self, path: Path) -> DataError:
        """Names the highest folder that is missing, since that is what was not unpacked."""
        absent = next((parent for parent in path.parents[::-1] if not parent.exists()), path)
        needed = "" if absent == path else f" (needed for '{path}')"
        return DataError(f"{self.name}: '{absent}' is missing{needed}; {self.advice}")

    def damaged(self, path: Path, detail: str) -> DataError:
        """The error for a file that is there but of no use."""
        return DataError(
            f"{self.name}: '{path}' cannot be used: {detail}. It is damaged or from another "
            f"release, fetch it again; {self.advice}"
        )

    def picture(self, path: Path, flags: int) -> NDArray[Any]:
        """Decode a picture.

        Args:
            path: A ``.jpg`` or ``.png``.
            flags: Of ``cv2.imdecode``; three channels come in OpenCV's order, blue first.

        Raises:
            DataError: The file is missing, cut short or not a picture.
        """
        data = self.file(path).read_bytes()
        # OpenCV fills a cut file up with grey and says nothing
        if _ENDS[path.suffix] not in data[-_TAIL:]:
            raise self.damaged(path, f"its {len(data)} bytes end before the picture does")
        found = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        if found is None:
            raise self.damaged(path, f"it is not a {path.suffix[1:]} picture")
        return np.asarray(found)

    def rgb(self, path: Path) -> NDArray[np.uint8]:
        """A picture as (H, W, 3) uint8 RGB.

        Raises:
            DataError: The file is missing, cut short or not a picture.
        """
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        return np.ascontiguousarray(self.picture(path, flags)[:, :, ::-1], dtype=np.uint8)

    def yaml(self, path: Path, names: Collection[str]) -> dict[str, Any]:
        """A YAML file's dictionary.

        Args:
            path: The file.
            names: Entries it must have.

        Raises:
            DataError: The file is missing, not YAML, or lacks an entry.
        """
        text = self.file(path).read_text(encoding="utf-8", errors="replace")
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise self.damaged(path, f"it is not YAML ({reason(error)})") from error
        if not isinstance(content, dict):
            raise self.damaged(path, f"it holds a {type(content).__name__}, expected entries")
        self._need(path, content, names)
        return content

    def arrays(self, path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Arrays of an ``.npz``; others in it are not unpacked, pickles are refused.

        Args:
            path: The file.
            names: Arrays it must have.

        Raises:
            DataError: The file is missing, damaged, or lacks an array.
        """
        try:
            stored = read_npz(self.file(path), names)
        except NpzError as error:
            raise self.damaged(path, str(error)) from error
        self._need(path, stored, names)
        return stored

    def _need(self, path: Path, content: Mapping[str, Any], names: Collection[str]) -> None:
        absent = [name for name in names if name not in content]
        if absent:
            raise self.damaged(path, f"it lacks {', '.join(absent)}")

    def numbers(self, path: Path, name: str, value: object, size: int) -> Array:
        """An entry as (size,) float64, whatever its shape was.

        Raises:
            DataError: It is not so many finite numbers.
        """
        try:
            array = np.array(value, dtype=float).reshape(-1)  # a copy: SciPy wants it writable
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.size != size or not np.isfinite(array).all():
            raise self.damaged(path, f"'{name}' is {value!r}, expected {size} finite numbers")
        return array
