"""What a run leaves to look at: ``log.jsonl``, TensorBoard's events, a picture per epoch."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.data.atomic import encoded
from hoisdf_ros.errors import TrainingError, reason
from hoisdf_ros.training.event_file import EventFile

LOG = "log.jsonl"


class Journal:
    """Appends to the files of a run's folder.

    Args:
        out: The folder.
        step: Steps done; lines of later steps, which a killed run left, are dropped.
    """

    def __init__(self, out: Path, step: int) -> None:
        self._out, self._log = out, out / LOG
        try:
            if self._log.exists():
                lines = [json.loads(line) for line in self._log.read_text().splitlines() if line]
                kept = [json.dumps(line) + "\n" for line in lines if line["step"] <= step]
                self._log.write_text("".join(kept) if step else "")
            self._events = EventFile(out / "events")
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(
                f"{self._log}: {reason(error)}; move it out of the way, or give another folder"
            ) from error

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Write numbers of a step.

        Raises:
            TrainingError: The disk is full.
        """
        try:
            with self._log.open("a") as file:
                file.write(json.dumps({"step": step, **values}) + "\n")
            for name, value in values.items():
                self._events.scalar(name, value, step)
        except OSError as error:
            raise self._full(error) from error

    def show(self, step: int, epoch: int, image: NDArray[np.uint8]) -> None:
        """Keep a picture (H, W, 3) uint8 RGB of an epoch.

        Raises:
            TrainingError: The disk is full.
        """
        try:
            png = encoded(".png", image[..., ::-1])
            (self._out / "pictures").mkdir(exist_ok=True)
            (self._out / "pictures" / f"epoch_{epoch:03d}.png").write_bytes(png)
            self._events.picture("held out", png, (image.shape[1], image.shape[0]), step)
        except OSError as error:
            raise self._full(error) from error

    def _full(self, error: OSError) -> TrainingError:
        return TrainingError(
            f"cannot write in {self._out} ({error.strerror}): make room and go on with --resume"
        )
