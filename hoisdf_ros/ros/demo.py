"""The demonstration: camera and node as they would run on a robot, watched and reported on.

``python -m hoisdf_ros.ros.demo --seconds 20 --out demo_out``
"""

import signal

if __name__ == "__main__":  # Ctrl-C during the imports, which take seconds: ends without a word
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from hoisdf_ros.data.atomic import write_picture
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects, load_mesh
from hoisdf_ros.postprocessing import overlay
from hoisdf_ros.ros.demo_camera import CAMERA
from hoisdf_ros.ros.demo_recorder import Recorder
from hoisdf_ros.ros.demo_report import UNTRAINED, Errors, Run, report, table
from hoisdf_ros.ros.diagnostics import DROPPED, WITH_DETECTIONS
from hoisdf_ros.ros.own_domain import prepare_environment

NAMESPACE = "/hoisdf"
_ROOT = Path(__file__).resolve().parents[2]
_START_S, _STOP_S = 180.0, 15.0


@dataclass(frozen=True)
class Options:
    """What to show.

    Args:
        seconds: How long.
        out: Folder for picture, report and logs.
        seed: Of the demo camera.
        parameters: ``name:=value`` of the node.
    """

    seconds: float
    out: Path
    seed: int = 0
    parameters: tuple[str, ...] = ()


def demonstrate(options: Options) -> bool:
    """Run camera and node, write picture and report, print the report.

    Returns:
        Whether any frame was processed.

    Raises:
        HoisdfError: Camera or node ended too early; the message shows their last words.
        OSError: Nothing can be written into the folder.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    prepare_environment()
    rclpy.init(args=[])
    try:
        recorder = Recorder(f"{NAMESPACE}/hoisdf_node", namespace=NAMESPACE)
        _record(recorder, options)
    finally:
        rclpy.try_shutdown()
    found = report(_summed_up(recorder))
    (options.out / "report.json").write_text(json.dumps(found, indent=2) + "\n")
    drawn = _snapshot(recorder, options.out / "snapshot.png", trained=found["trained"])
    print(table(found))
    print(f"\n{options.out / 'report.json'}{f', {drawn}' if drawn else ''}")
    return bool(found["frames"]["processed"])


def _record(recorder: Recorder, options: Options) -> None:
    """Watch camera and node; what was received stays in the recorder."""
    node = [word for parameter in options.parameters for word in ("-p", parameter)]
    with (
        _running("demo_camera", ["-p", f"seed:={options.seed}"], options.out) as camera,
        _running("node", node, options.out) as estimator,
    ):
        executor = SingleThreadedExecutor()
        executor.add_node(recorder)

        def spin(seconds: float, until: Callable[[], bool] = lambda: False) -> float:
            start = time.monotonic()
            while not until() and time.monotonic() < start + seconds:
                camera.check()
                estimator.check()
                executor.spin_once(timeout_sec=0.05)
            return time.monotonic() - start

        try:
            print("starting camera and node ...", flush=True)
            spin(_START_S, until=lambda: bool(recorder.messages["hands"]))
            if not recorder.messages["hands"]:
                raise HoisdfError(f"no result within {_START_S:.0f} s{estimator.last_words()}")
            print(f"watching for {options.seconds:g} s ...", flush=True)
            watch(recorder, spin, options.seconds)
            camera.stop()
            _settle(recorder, executor)
        except (KeyboardInterrupt, ExternalShutdownException):
            print("interrupted: reporting what there is", flush=True)


class Spin(Protocol):
    """Receives for so many seconds, or ends early once a condition holds."""

    def __call__(self, seconds: float, until: Callable[[], bool] = ...) -> float:
        """Returns the seconds it took."""


def watch(recorder: Recorder, spin: Spin, seconds: float) -> None:
    """Receive for so long; images, which are heavy, only until the view is a good one."""
    left = seconds - spin(seconds / 2)
    recorder.watch_images(wanted=True)
    left -= spin(seconds / 4, until=recorder.has_view)
    left -= spin(seconds / 4)
    recorder.watch_images(wanted=False)
    spin(left)


class _Child:
    """A process of this package with its output in a file."""

    def __init__(self, name: str, arguments: list[str], out: Path) -> None:
        self.name = name
        self._log = out / f"{name}.log"
        self._stopped = False
        names = ["--ros-args", "-r", f"__ns:={NAMESPACE}"]
        command = [sys.executable, "-m", f"hoisdf_ros.ros.{name}", *names, *arguments]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=_ROOT
            )

    def check(self) -> None:
        """Raise when the process has ended by itself."""
        if self._process.poll() is not None and not self._stopped:
            status = self._process.returncode
            raise HoisdfError(f"{self.name} ended with status {status}{self.last_words()}")

    def last_words(self) -> str:
        """The end of its output."""
        tail = self._log.read_text(errors="replace").strip().splitlines()[-15:]
        return ":\n  " + "\n  ".join(tail) if tail else f"; it said nothing ({self._log})"

    def stop(self) -> None:
        """Ask it to end, wait, and insist."""
        self._stopped = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def _running(name: str, arguments: list[str], out: Path) -> Iterator[_Child]:
    child = _Child(name, arguments, out)
    try:
        yield child
    finally:
        child.stop()


def _settle(recorder: Recorder, executor: SingleThreadedExecutor) -> None:
    """After the camera's end: until the counts of two reports in a row are the same."""
    before, end = "", time.monotonic() + 10.0
    while time.monotonic() < end:
        deadline = time.monotonic() + 1.2
        while time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.05)
        now = str(recorder.diagnostics.get("input"))
        if now == before:
            return
        before = now


def _summed_up(recorder: Recorder) -> Run:
    estimates, truths = recorder.estimates(), recorder.truths()
    meshes = {name: load_mesh(path) for name, path in find_objects(PACKAGED_OBJECTS).items()}
    errors = Errors()
    for stamp in sorted(estimates.keys() & truths.keys()):
        errors.add(estimates[stamp], truths[stamp], meshes)
    first, last = (min(estimates), max(estimates)) if estimates else (0, 0)
    counts = recorder.diagnostics.get("input", {})
    stages = recorder.diagnostics.get("inference", {})
    model = recorder.diagnostics.get("model", {})
    drops = {
        key.removeprefix(DROPPED): int(value)
        for key, value in counts.items()
        if key.startswith(DROPPED)
    }
    own = (float(stages.get(f"node's own {p} (ms)", "nan")) for p in ("p50", "p95"))
    p50, p95 = own
    return Run(
        seconds=(last - first) * 1e-9,
        published=sum(first <= stamp <= last for stamp in truths),
        received=int(counts.get("received", 0)),
        processed=int(counts.get("processed", len(estimates))),
        with_boxes=int(recorder.diagnostics.get("sync", {}).get(WITH_DETECTIONS, 0)),
        dropped=drops,
        latency_ms=list(recorder.latency_ms.values()),
        latency_with_hand_ms=[
            recorder.latency_ms[stamp] for stamp, found in estimates.items() if found.hands
        ],
        own_ms=(p50, p95),
        errors=errors,
        model=model,
        trained=model.get("trained") == "True",
    )


def _snapshot(recorder: Recorder, path: Path, *, trained: bool) -> Path | None:
    """Image with what was found on it, next to the same from the side; None without a hand."""
    view = recorder.best_view()
    if view is None:
        return None
    image, estimate = view
    paths = find_objects(PACKAGED_OBJECTS)
    known = [held.object_id for held in estimate.objects if held.object_id in paths]
    meshes = {object_id: load_mesh(paths[object_id]) for object_id in known}
    front = overlay.draw(image, estimate, CAMERA, recorder.faces, meshes)
    side = overlay.side_view((CAMERA.height, CAMERA.height), estimate, recorder.faces, meshes)
    side = overlay.caption(side, "from the left")
    picture = np.hstack([front, side])
    if not trained:
        picture = overlay.caption(picture, UNTRAINED, warning=True)
    write_picture(path, picture)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns 0 when frames were processed, else 1, or 2 when something refused."""
    parser = argparse.ArgumentParser(description="Show hands and objects of a rendered camera.")
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the demo, for whichever command offers it."""
    parser.add_argument("--seconds", type=float, default=20.0, help="how long (20)")
    parser.add_argument("--out", type=Path, default=Path("demo_out"), help="folder (demo_out)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another scene (0)")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME:=VALUE",
        help="a parameter of the node, such as weights:=x.pth; may be repeated",
    )


def run(options: argparse.Namespace) -> int:
    """The demo with parsed options; see `main`."""
    parameters = tuple(options.parameter)
    try:
        done = demonstrate(Options(options.seconds, options.out, options.seed, parameters))
    except HoisdfError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"demo: '{options.out}' cannot be written ({error.strerror}); give another --out",
            file=sys.stderr,
        )
        return 2
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
