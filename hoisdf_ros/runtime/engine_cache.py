"""Engines on the disk: built once for weights, processor and software, never trusted unread.

A file is a line of JSON, which says what the engine is for and how its bytes add up, and the bytes.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hoisdf_ros import network
from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.errors import BackendError, reason

FORMAT = 1
_LONGEST_HEADER = 1 << 16


class EngineError(BackendError):
    """A file that is not the engine that is asked for."""


@dataclass(frozen=True)
class EngineKey:
    """Everything that an engine depends on: another value, another engine.

    Args:
        kind: What made it, such as ``tensorrt``.
        preset: Of the network.
        precision: fp32, fp16 or bf16.
        network: Hash of weights, configuration and of the code that defines the network.
        inputs: Shapes of the inputs.
        processor: GPU with its capability, or CPU with its instruction set.
        software: Versions of torch, compiler and driver.
    """

    kind: str
    preset: str
    precision: str
    network: str
    inputs: tuple[tuple[int, ...], ...]
    processor: str
    software: str

    @property
    def file_name(self) -> str:
        """Different for different keys."""
        digest = hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:12]
        return f"{self.preset}-{self.kind}-{self.precision}-{digest}.engine"


@dataclass(frozen=True)
class Engine:
    """A compiled network.

    Args:
        key: What it is for.
        content: What its maker's loader reads.
        build_s: Seconds that it took to build.
        differences: From the eager network, by name; empty while it has not been compared, which
            needs the processor that it is for.
    """

    key: EngineKey
    content: bytes = field(repr=False)
    build_s: float
    differences: dict[str, float] = field(default_factory=dict)

    @property
    def difference(self) -> str:
        """The differences in words; empty while there are none."""
        return ", ".join(f"{value:.3g} {name}" for name, value in self.differences.items())

    def __str__(self) -> str:
        """Name, size and time."""
        size = len(self.content) / 1e6
        return f"engine {self.key.file_name}, {size:.1f} MB, built in {self.build_s:.0f} s"


def cache_directory(wanted: str) -> Path:
    """Where engines are kept.

    Args:
        wanted: A folder; empty for ``$XDG_CACHE_HOME/hoisdf_ros`` or ``~/.cache/hoisdf_ros``.
    """
    if wanted:
        return Path(wanted).expanduser()
    home = os.environ.get("XDG_CACHE_HOME", "")
    # the standard wants relative paths ignored
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "hoisdf_ros"


def store(directory: Path, engine: Engine) -> Path:
    """Keep an engine, in place of an older one for the same key.

    Raises:
        BackendError: It cannot be written; nothing is left behind.
    """
    header = {
        "format": FORMAT,
        "key": _plain(engine.key),
        "bytes": len(engine.content),
        "sha256": hashlib.sha256(engine.content).hexdigest(),
        "build_s": engine.build_s,
        "differences": engine.differences,
    }
    line = json.dumps(header).encode() + b"\n"
    path = directory / engine.key.file_name
    try:
        write_atomically(path, lambda file: file.writelines((line, engine.content)))
    except OSError as error:
        raise BackendError(
            f"engine {path} cannot be written ({error.strerror or error}): expected a folder that "
            "you may write to, with room in it; set engine_cache_dir to another"
        ) from error
    return path


def find(directory: Path, key: EngineKey) -> Engine | None:
    """The engine for a key; None when there is no file for it.

    Raises:
        EngineError: There is one that must not be used: damaged, or for something else.
    """
    path = directory / key.file_name
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
            content = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(f"engine {path} cannot be read ({reason(error)})") from error
    try:
        header = json.loads(line)
        found = header["key"]
        promised = (header["format"], header["bytes"], header["sha256"])
        build_s = float(header["build_s"])
        differences = {str(name): float(value) for name, value in header["differences"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(f"engine {path} has no valid first line") from error
    if found != _plain(key):
        raise EngineError(f"engine {path} is for another network, processor or software")
    if promised != (FORMAT, len(content), hashlib.sha256(content).hexdigest()):
        raise EngineError(f"engine {path} is damaged: its bytes are not those that were stored")
    return Engine(key, content, build_s, differences)


def network_hash(weights_hash: str, config: object) -> str:
    """Short hash of weights, configuration and the code that defines the network.

    Args:
        weights_hash: Of the network as it was loaded.
        config: `NetworkConfig`, whose text names every value.
    """
    digest = hashlib.sha256(f"{weights_hash} {config}".encode())
    for path in sorted(Path(*network.__path__).glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _plain(key: EngineKey) -> object:
    """The key as JSON gives it back, with lists for tuples."""
    return json.loads(json.dumps(asdict(key)))
