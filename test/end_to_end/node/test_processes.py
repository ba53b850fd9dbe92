"""The executable as a process: it starts, answers, and ends when told to."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

ROOT = Path(__file__).parents[3]
DOMAIN = int(os.environ.get("ROS_DOMAIN_ID", random.SystemRandom().randint(1, 100)))

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the node with a core that costs nothing; ends what is left of it."""
    processes: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hoisdf_ros.ros.dry_run", "--ros-args", *arguments]
        environment = {"ROS_DOMAIN_ID": str(DOMAIN), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
        processes.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **environment},
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        )
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


def wait_until_active(process: subprocess.Popen[str], timeout_s: float = 60.0) -> None:
    """Wait for diagnostics that speak of an input."""
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    listener = Node("listener", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(listener)
    active: list[bool] = []
    listener.create_subscription(
        DiagnosticArray, "/diagnostics", lambda m: active.append(len(m.status) > 1), 10
    )
    end = time.monotonic() + timeout_s
    while not any(active) and time.monotonic() < end and process.poll() is None:
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    context.try_shutdown()
    assert any(active), process.communicate(timeout=5)[0] if process.poll() else "no diagnostics"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_active_node_cleanly(start: Start, number: signal.Signals) -> None:
    process = start("-p", "use_sim_time:=true")  # with no /clock, which must not matter
    wait_until_active(process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert "untrained weights: poses are meaningless" in output


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [("max_hands:=99", "max_hands"), ("side:=both", "'both' is not one of"), ("side:=3", "side")],
)
def test_a_parameter_that_cannot_be_used_ends_the_node_with_the_reason(
    start: Start, parameter: str, expected: str
) -> None:
    process = start("-p", parameter)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert expected in output
    assert "Traceback" not in output


def test_ros_arguments_that_cannot_be_used_end_the_node_in_one_line(start: Start) -> None:
    process = start("--params-file", "/nope.yaml")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    (ours,) = [line for line in output.splitlines() if line.startswith("dry_run: ")]
    assert "'--params-file /nope.yaml'. Error: Error opening YAML file; expected" in ours
    assert "Traceback" not in output


@pytest.mark.parametrize("module", ["node", "dry_run", "demo_camera", "demo"])
def test_a_signal_during_the_imports_ends_the_process_without_a_word(
    module: str, tmp_path: Path
) -> None:
    (tmp_path / "rclpy.py").write_text("import time; print('importing', flush=True); time.sleep(9)")
    process = subprocess.Popen(
        [sys.executable, "-m", f"hoisdf_ros.ros.{module}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, output) == (-signal.SIGINT, "")
