"""The node at a camera's rate: does it keep up, does it lag, does it grow?

``python -m hoisdf_ros.ros.rate_check --rate 30 --network-ms 100 --seconds 1800`` sends images
faster than a core that only waits can take them; without ``--network-ms`` the real core works.
The node runs in this process, the camera in another.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from numpy.typing import ArrayLike
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor

from hoisdf_ros.bench.frames_file import write_frames
from hoisdf_ros.config import NodeConfig
from hoisdf_ros.datatypes import Box, Camera, Detection, Frame
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.ros.core import EstimatorLike, load_estimator
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.own_domain import prepare_environment
from hoisdf_ros.ros.watched_node import Record, WatchedNode

_ROOT = Path(__file__).resolve().parents[2]
_CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
_SAMPLE_S = 1.0
_SETTLE_S = 1.0
_WARM_UP = 0.2  # share of a run that says nothing about growth


@dataclass(frozen=True)
class Check:
    """What the node is put through.

    Args:
        rate_hz: Images per second.
        seconds: How long.
        network_ms: How long a stand-in for the core waits; None: the real core.
        frames: A file of frames; None: a plain picture, of which a stand-in sees nothing.
        detections: Whether boxes come from outside.
        parameters: ``name:=value`` of the node.
    """

    rate_hz: float = 30.0
    seconds: float = 10.0
    network_ms: float | None = None
    frames: Path | None = None
    detections: bool = True
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Usage:
    """What the node's process took since the first image.

    Args:
        resident: Seconds and megabytes, once a second.
        spent_s: Processor time of all threads.
        elapsed_s: Of the clock on the wall.
    """

    resident: list[tuple[float, float]]
    spent_s: float
    elapsed_s: float

    def numbers(self, images: int) -> dict[str, Any]:
        """For a report."""
        return {
            "cpu_ms_per_image": round(1e3 * self.spent_s / images, 3),
            "cpu_share": round(self.spent_s / self.elapsed_s, 3),
            "memory": _growth(self.resident),
        }


def check_rate(check: Check) -> dict[str, Any]:
    """Run node and camera; what was measured, as JSON has it.

    Raises:
        HoisdfError: The camera failed, or no image was estimated.
    """
    prepare_environment()
    with tempfile.TemporaryDirectory(prefix="hoisdf_rate_") as folder:
        frames = check.frames or Path(folder) / "frames.npz"
        if check.frames is None:
            write_frames(frames, [plain_frame()])
        context = Context()
        arguments = [word for entry in check.parameters for word in ("-p", entry)]
        rclpy.init(args=["--ros-args", *arguments] if arguments else [], context=context)
        try:
            return _watched(check, frames, context)
        finally:
            context.try_shutdown()


def plain_frame() -> Frame:
    """A hand's box half a metre away in a picture of shades."""
    shades: Any = np.add.outer(np.arange(480), np.arange(640)) % 256
    image = np.repeat(shades.astype(np.uint8)[..., None], 3, axis=2)
    depth = np.full((480, 640), 0.5, np.float32)
    boxes = (
        Detection("right_hand", Box(200.0, 120.0, 440.0, 360.0), 1.0),
        Detection("cube", Box(260.0, 180.0, 380.0, 300.0), 1.0),
    )
    return Frame(image, _CAMERA, depth, boxes)


def _watched(check: Check, frames: Path, context: Context) -> dict[str, Any]:
    pause_s = (check.network_ms or 0.0) * 1e-3
    make = load_estimator if check.network_ms is None else _stand_in
    node, executor = (
        WatchedNode(make, pause_s, context=context),
        SingleThreadedExecutor(context=context),
    )
    executor.add_node(node)
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        camera = subprocess.Popen(
            _camera_command(check, frames), stdout=said, stderr=complained, cwd=_ROOT
        )
        try:
            usage = _spin(node, executor, camera)
        finally:
            camera.kill()
            camera.wait()
            node.close()
        said.seek(0)
        complained.seek(0)
        if camera.returncode:
            last = complained.read().strip().splitlines()[-1:] or ["it said nothing"]
            raise HoisdfError(f"the camera ended with status {camera.returncode}: {last[0]}")
        sent: dict[str, int] = json.loads(said.read())
    if not node.record.latency_ms:
        raise HoisdfError(
            f"none of {sent['published']} images was estimated: {node.health.snapshot().drops}; "
            "look at the node's log above"
        )
    return _summed_up(check, node, sent) | usage.numbers(len(node.record.latency_ms))


def _camera_command(check: Check, frames: Path) -> list[str]:
    words = ["--frames", str(frames), "--rate", str(check.rate_hz)]
    words += ["--seconds", str(check.seconds)]
    words += [] if check.detections else ["--no-detections"]
    return [sys.executable, "-m", "hoisdf_ros.ros.replay_camera", *words]


def _spin(
    node: WatchedNode, executor: SingleThreadedExecutor, camera: "subprocess.Popen[Any]"
) -> _Usage:
    """Receive until the camera ends and a little longer; memory and processor time meanwhile."""
    arrivals, resident = node.record.arrivals, []
    started = spent = next_sample = 0.0
    end = float("inf")
    while (now := time.monotonic()) < end:
        executor.spin_once(timeout_sec=0.1)
        if arrivals and not started:
            started, spent = now, time.process_time()
        if started and now >= next_sample:
            next_sample = now + _SAMPLE_S
            resident.append((now - started, _resident_mb()))
        if end == float("inf") and camera.poll() is not None:
            end = now + _SETTLE_S
    return _Usage(resident, time.process_time() - spent, time.monotonic() - started)


def _growth(resident: list[tuple[float, float]]) -> dict[str, float | None]:
    """First and last size, and the trend behind the start, megabytes and minutes."""
    times, sizes = np.array(resident).T
    kept = times >= _WARM_UP * times[-1]
    trend = None
    if kept.sum() > 2:
        trend = round(60 * float(np.polyfit(times[kept], sizes[kept], 1)[0]), 3)
    return {
        "first_mb": round(float(sizes[0]), 1),
        "last_mb": round(float(sizes[-1]), 1),
        "trend_mb_per_minute": trend,
    }


def _summed_up(check: Check, node: WatchedNode, sent: dict[str, int]) -> dict[str, Any]:
    record, known = node.record, node.health.snapshot()
    stamps = np.array(record.stamps)
    return {
        "camera_hz": check.rate_hz,
        "seconds": check.seconds,
        "core": "real" if check.network_ms is None else f"waits {check.network_ms:g} ms",
        "detections": "given" if check.detections else "none",
        **sent,
        "received": known.received,
        "processed": known.processed,
        "drops": known.drops,
        "unaccounted": known.received - known.processed - sum(known.drops.values()),
        "processed_hz": round(_rate(record), 2),
        "in_order": bool((np.diff(stamps) > 0).all()),
        "overtaken": record.overtaken,
        "latency_ms": _numbers(record.latency_ms),
        "core_ms": _numbers(record.core_ms),
        "own_ms": _numbers(record.own_ms),
        "overhead_ms": _numbers(record.overhead_ms),
    }


def _rate(record: Record) -> float:
    span = record.stamps[-1] - record.stamps[0]
    return (len(record.stamps) - 1) / span if span > 0 else 0.0


def _numbers(values: ArrayLike) -> dict[str, float]:
    array = np.asarray(values)
    found = {
        "median": np.median(array),
        "p99": np.percentile(array, 99),
        "min": array.min(),
        "max": array.max(),
    }
    return {name: round(float(value), 3) for name, value in found.items()}


def _stand_in(_: NodeConfig) -> EstimatorLike:
    return ConstantEstimator()


def _resident_mb() -> float:
    """This process's size; NaN where the system does not tell."""
    try:
        found = re.search(r"VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return float("nan")
    return int(found[1]) * 1024e-6 if found else float("nan")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and print; 2 when something refused."""
    parser = argparse.ArgumentParser(description="Put the node through a camera's rate.")
    parser.add_argument("--rate", type=float, default=30.0, help="images per second (30)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--network-ms", type=float, help="wait so long instead of estimating")
    parser.add_argument("--frames", type=Path, help="a file of frames; without: a plain picture")
    parser.add_argument("--no-detections", action="store_true", help="send no boxes")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME:=VALUE", help="of the node"
    )
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args(arguments)
    check = Check(
        rate_hz=options.rate,
        seconds=options.seconds,
        network_ms=options.network_ms,
        frames=options.frames,
        detections=not options.no_detections,
        parameters=tuple(options.parameter),
    )
    try:
        found = check_rate(check)
    except HoisdfError as error:
        print(f"rate_check: {error}", file=sys.stderr)
        return 2
    text = json.dumps(found, indent=1)
    print(text if options.json else "\n".join(f"{name}: {found[name]}" for name in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
