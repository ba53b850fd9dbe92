"""A small crop with a hand and a thing in it."""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.datatypes import Array, Camera

CAMERA = Camera(600, 600, 320, 240, 640, 480)


@dataclass(frozen=True)
class Window:
    """A crop of 128 pixels whose upper left corner is at (200, 100), twice as large."""

    affine: Array
    intrinsics: Array
    mirrored: bool


def window(*, mirrored: bool) -> Window:
    affine = np.array([[0.5, 0.0, -100.0], [0.0, 0.5, -50.0]])
    return Window(affine, np.vstack([affine, [0, 0, 1]]) @ CAMERA.matrix, mirrored)


def hand_and_thing() -> tuple[Array, Array]:
    hand, thing = np.zeros((64, 64)), np.zeros((64, 64))
    hand[20:40, 10:30] = 0.9
    thing[24:34, 30:50] = 0.8
    return hand, thing
