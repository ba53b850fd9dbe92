"""Weights of `network.hand_size.HandSize`: a file beside those of the network it looks at."""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from hoisdf_ros.errors import CheckpointError, NpzError
from hoisdf_ros.network.hand_size import HandSize
from hoisdf_ros.npz import read_npz

_MADE_FOR = "weights_hash"
_MAX_BYTES = 1 << 24
_ADVICE = "make it anew by 'python -m hoisdf_ros.training.hand_size', or remove it"


def hand_size_file(weights: Path) -> Path:
    """Where it lies: ``demo_hand_size.npz`` beside ``demo.pth``."""
    return weights.with_name(f"{weights.stem}_hand_size.npz")


def load_hand_size(weights: Path, known: str, channels: tuple[int, ...]) -> HandSize | None:
    """What tells sizes from the features of a network, on the CPU; None where there is no file.

    Args:
        weights: The network's file.
        known: The hash of its weights.
        channels: Of its pyramid.

    Raises:
        CheckpointError: The file is damaged, or belongs to other weights.
    """
    path = hand_size_file(weights)
    if not path.is_file():
        return None
    try:
        arrays = read_npz(path, max_bytes=_MAX_BYTES)
    except NpzError as error:
        raise CheckpointError(f"{path}: {error}; {_ADVICE}") from error
    made_for = str(arrays.pop(_MADE_FOR, ""))
    if made_for != known:
        raise CheckpointError(
            f"{path} belongs to weights {made_for or 'that it does not name'}, expected {known} as "
            f"in {weights.name}; {_ADVICE}"
        )
    size = HandSize(channels)
    try:
        size.load_state_dict({name: torch.from_numpy(value) for name, value in arrays.items()})
    except (RuntimeError, TypeError) as error:
        raise CheckpointError(f"{path} does not fit {weights.name}; {_ADVICE}") from error
    return size.eval().requires_grad_(False)


def write_hand_size(file: BinaryIO, size: HandSize, known: str) -> None:
    """Write such a file.

    Args:
        file: Open for writing.
        size: As trained.
        known: The hash of the network's weights.
    """
    arrays: dict[str, Any] = {name: value.numpy() for name, value in size.state_dict().items()}
    np.savez(file, **(arrays | {_MADE_FOR: np.array(known)}))
