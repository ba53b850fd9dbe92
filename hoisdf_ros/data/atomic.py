"""Pictures that are whole or not there, and never fail without a word."""

import errno
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.atomic import write_atomically


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
