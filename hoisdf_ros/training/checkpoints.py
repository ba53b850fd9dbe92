"""Checkpoints of a run: whole or not there at all, and plain enough to be read safely.

The key ``network`` holds the averaged weights, which every command can load; ``training`` holds
what a run needs to go on. Everything that is drawn depends on seed and step, so the step is the
state of chance.
"""

import io
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.errors import CheckpointError, TrainingError
from hoisdf_ros.network.checkpoint import read_safely

LAST, BEST = "last.pth", "best.pth"


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Save a checkpoint so that the file is always a whole one, even if the power fails.

    Args:
        path: Where to; an older file there is replaced.
        content: Tensors, numbers, strings, lists and dicts.

    Raises:
        TrainingError: It cannot be written; the older file is untouched.
    """
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    try:
        write_atomically(path, lambda file: file.write(buffer.getbuffer()))
    except OSError as error:
        raise TrainingError(
            f"checkpoint {path} cannot be written ({error.strerror}); the one before is intact: "
            f"make room for {buffer.tell() / 1e6:.0f} MB and go on with --resume"
        ) from error


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint written by `write_checkpoint`, on the CPU.

    Raises:
        CheckpointError: Missing, damaged, or not of a training run.
    """
    content = read_safely(path, "start again, or from another by the setting 'weights'")
    if not isinstance(content, dict) or "training" not in content:
        raise CheckpointError(
            f"checkpoint {path} holds weights but no training state; start a new run from it by "
            "the setting 'weights'"
        )
    return content


def code_version() -> str:
    """The commit of this code, ``-dirty`` when changed since; ``unknown`` outside a checkout."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
