"""``hoisdf bench``: how long does an image take here, and where does the time go?"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hoisdf_ros.cli.weights import add_weights_options, weights_of
from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.errors import reason
from hoisdf_ros.parameter import ParameterInfo

_SETTINGS = ("backend", "precision", "sampler")
"""Of `EstimatorConfig`, what says how the network runs; an option each."""

_NO_TEXT = "''"  # as ROS reads it
_NODE_SECONDS, _QUICK_NODE_SECONDS = 20.0, 4.0
_PATIENCE_S = 240.0
_PICTURES, _QUICK_PICTURES = 48, 8


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command's options."""
    parser = commands.add_parser("bench", help="time network, core and node")
    add_weights_options(parser)
    for name, info in _settings().items():
        parser.add_argument(f"--{name}", choices=info.choices, help=info.description)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--quick", action="store_true", help="about a minute on two cores")
    parser.add_argument("--runs", type=int, help="rounds, after one that is not counted")
    parser.add_argument("--pictures", type=int, help="different pictures to look at")
    parser.add_argument("--network-only", action="store_true", help="do not start the node")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--out", type=Path, help="folder for JSON, page and plot")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the result; everything that is not the result goes to stderr."""
    from hoisdf_ros.bench.measure import QUICK, Bench, Plan
    from hoisdf_ros.bench.pictures import rendered_frames
    from hoisdf_ros.bench.report import markdown, write

    plan = QUICK if options.quick else Plan()
    if options.runs is not None:
        count = max(1, options.runs)
        plan = replace(plan, runs=count, core_runs=count)
    usual = _QUICK_PICTURES if options.quick else _PICTURES
    _note("drawing pictures ...")
    frames = rendered_frames(max(1, options.pictures or usual))
    config = _config(options)
    _note("timing the network ...")
    bench = Bench(config, frames)
    document = bench.measure(plan)
    if options.network_only:
        document |= {"node_overhead_ms": None, "node": None}
        document["missing"]["node_overhead_ms"] = "not asked for"
    else:
        _note("timing the node ...")
        seconds = _QUICK_NODE_SECONDS if options.quick else _NODE_SECONDS
        _add_node(document, frames, config, seconds)
    if options.json:
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        print(markdown(document), end="")
    if options.out is not None:
        for path in write(document, options.out):
            _note(f"wrote {path}")
    return 0


def _settings() -> dict[str, ParameterInfo]:
    known = {entry.name: entry.metadata["info"] for entry in fields(EstimatorConfig)}
    return {name: known[name] for name in _SETTINGS}


def _config(options: argparse.Namespace) -> EstimatorConfig:
    wanted = {name: getattr(options, name) for name in _settings()}
    chosen = {name: value for name, value in wanted.items() if value is not None}
    return EstimatorConfig(
        weights=weights_of(options), preset=options.preset, device=options.device, **chosen
    )


def _add_node(
    document: dict[str, Any], frames: list[Any], config: EstimatorConfig, seconds: float
) -> None:
    """Measure the node with a core that takes no time, then with the real one."""
    from hoisdf_ros.bench.frames_file import write_frames

    document |= {"node_overhead_ms": None, "node": None}
    if importlib.util.find_spec("rclpy") is None:
        document["missing"]["node_overhead_ms"] = "there is no ROS (rclpy) in this environment"
        return
    names = ("weights", "preset", "device", *_settings())
    values = {name: getattr(config, name) or _NO_TEXT for name in names}
    real = [f"{name}:={value}" for name, value in values.items()]
    with tempfile.TemporaryDirectory(prefix="hoisdf_bench_") as folder:
        pictures = Path(folder) / "frames.npz"
        write_frames(pictures, frames)
        words = ["--frames", str(pictures), "--seconds", str(seconds)]
        try:
            instant = _node([*words, "--network-ms", "0"])
            document["node_overhead_ms"] = instant["overhead_ms"]
            given = _node([*words, *(f"--parameter={word}" for word in real)])
            document["node"] = {"instant": instant, "given": given}
            found = _node([*words, "--no-detections", *(f"--parameter={w}" for w in real)])
            document["node"]["detector"] = found
        except _NodeError as error:
            document["missing"]["node_overhead_ms"] = str(error)


class _NodeError(Exception):
    """The node could not be measured; the message says why."""


def _node(words: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "hoisdf_ros.ros.rate_check", "--json", *words]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=_PATIENCE_S
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:] or ["it said nothing"]
        raise _NodeError(f"the node ended with status {error.returncode}: {last[0]}") from error
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise _NodeError(f"the node gave no result ({reason(error)})") from error
    return found


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
