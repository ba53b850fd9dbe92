"""The demonstration, with the real core: the whole path from a rendered hand to a report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

pytest.importorskip("moderngl")

ROOT = Path(__file__).parents[3]


def demo(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "ROS_DOMAIN_ID"}
    return subprocess.run(
        [sys.executable, "-m", "hoisdf_ros.ros.demo", "--out", str(out), *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )


def test_the_demo_shows_and_measures_what_the_packaged_weights_say(tmp_path: Path) -> None:
    done = demo(tmp_path, "--seconds", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    frames = report["frames"]
    assert frames["processed"] > 0
    assert frames["with a hand"] > 0
    assert frames["seen"] == frames["processed"] + sum(frames["dropped"].values())
    assert report["errors_mm"]["wrist"]["count"] > 0
    assert frames["with boxes given"] == 0
    assert report["given"].startswith("nothing was given")
    assert report["latency_ms"]["p50"] > 0
    assert report["note"] == ""
    picture = cv2.imread(str(tmp_path / "snapshot.png"))
    assert picture is not None
    assert picture.shape == (480, 640 + 480, 3)
    assert "Traceback" not in (tmp_path / "node.log").read_text()


def test_a_node_that_refuses_its_parameters_ends_the_demo_with_its_words(tmp_path: Path) -> None:
    done = demo(tmp_path, "--seconds", "1", "--parameter", "side:=both")
    assert done.returncode == 2
    assert "node ended with status 2" in done.stderr
    assert "'both' is not one of" in done.stderr
    assert "Traceback" not in done.stderr
