"""Reading ``.npz`` files of any origin: plain arrays come out, nothing in them is executed."""

import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.errors import NpzError, reason

_SUFFIX = ".npy"
_OBJECTS = "Object arrays"  # how NumPy's refusal of a pickled array begins

_read_array: Callable[..., NDArray[Any]] = np.lib.format.read_array


def read_npz(
    source: Path | BinaryIO,
    names: Collection[str] | None = None,
    max_bytes: int | None = None,
) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz``.

    Args:
        source: The file, or its content.
        names: Arrays wanted, the others are not unpacked; None: all of them.
        max_bytes: The file may not unpack to more.

    Returns:
        Those of the wanted arrays that are there, by name.

    Raises:
        NpzError: The file is missing, damaged, too large, no ``.npz``, or a wanted array is
            pickled. The message says why in our words: NumPy's advise to unpickle it.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if max_bytes is not None and size > max_bytes:
                raise NpzError(f"it unpacks to {size} bytes, expected at most {max_bytes}")
            stored = [name for name in archive.namelist() if name.endswith(_SUFFIX)]
            wanted = [name.removesuffix(_SUFFIX) for name in stored]
            wanted = [name for name in wanted if names is None or name in names]
            return {name: _array(archive, name) for name in wanted}
    except NpzError:
        raise
    except zipfile.BadZipFile as error:
        raise NpzError(f"it is no .npz, or a damaged one ({reason(error)})") from error
    except OSError as error:
        raise NpzError(error.strerror or reason(error)) from error
    except Exception as error:  # each way to pack has its own for damaged content
        raise NpzError(f"it is damaged ({reason(error)})") from error


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name + _SUFFIX) as file:
        try:
            return _read_array(file, allow_pickle=False)
        except (ValueError, MemoryError) as error:
            if str(error).startswith(_OBJECTS):
                raise NpzError(
                    f"array '{name}' holds Python objects, which are never loaded, instead of "
                    "plain numbers"
                ) from error
            raise NpzError(f"array '{name}' is damaged") from error
