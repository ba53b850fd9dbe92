"""Chance by address: what is drawn where depends on nothing that was drawn before."""

import enum
from typing import Literal, get_args

import numpy as np

from hoisdf_ros.errors import DataError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
"""Part of every address, so that no seed of one split repeats another split."""

_LARGEST = 2**32


class Purpose(enum.IntEnum):
    """What a stream is for."""

    KIND = 1
    SCENE = 2
    LOOKS = 3
    SENSOR = 4
    GRASP = 5
    STUDIO = 6
    SEQUENCE = 7
    SEQUENCE_LOOKS = 8
    SEQUENCE_SENSOR = 9
    SEQUENCE_STUDIO = 10
    SEQUENCE_SCENE = 11


def stream(
    split: Split, seed: int, purpose: Purpose, index: int = 0, attempt: int = 0
) -> np.random.Generator:
    """The generator of random numbers at an address; the same address gives the same numbers.

    Raises:
        DataError: The split is unknown, or a number is negative or too large.
    """
    if split not in SPLITS:
        raise DataError(f"split '{split}' of synthetic data: expected one of {', '.join(SPLITS)}")
    for name, value in (("seed", seed), ("number", index)):
        if not 0 <= value < _LARGEST:
            raise DataError(f"{name} {value} of synthetic data: expected 0 to {_LARGEST - 1}")
    # always as many words: a seed sequence takes [1, 2] and [1, 2, 0] for the same
    return np.random.default_rng([SPLITS.index(split) + 1, seed, purpose, index, attempt])
