"""Files that are whole or not there, whatever happens while they are written."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file beside its place and move it there once it is on the disk.

    Args:
        path: Where the file is to be; its folder is made.
        write: Writes the content.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")
    try:
        with partial.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync(path.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_picture(path: Path, image: NDArray[np.uint8], options: Sequence[int] = ()) -> None:
    """Write a picture; unlike ``cv2.imwrite``, not without a word when that fails.

    Args:
        path: Its suffix says the format; its folder is made.
        image: (H, W, 3) uint8 RGB.
        options: Of ``cv2.imencode``.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    content = encoded(path.suffix, image[..., ::-1], options)
    write_atomically(path, lambda file: file.write(content))


def encoded(kind: str, picture: cv2.typing.MatLike, options: Sequence[int] = ()) -> bytes:
    """A picture file's content.

    Args:
        kind: ``.png`` and the like.
        picture: As OpenCV has it, blue first.
        options: Of ``cv2.imencode``.

    Raises:
        OSError: OpenCV cannot do it.
    """
    done, content = cv2.imencode(kind, picture, options)
    if not done:
        raise OSError(errno.EIO, f"no {kind} can be made of {picture.dtype} {picture.shape}")
    return content.tobytes()


def _sync(directory: Path) -> None:
    """Put a folder's new name of a file on the disk, too."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


PARTIAL = ".partial"
"""End of the names of files that a killed process leaves behind."""
