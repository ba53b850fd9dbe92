"""The node behind a camera that is faster than its core: whatever the machine, it adds up."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.bench.frames_file import write_frames
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.ros.rate_check import Check, check_rate, main, plain_frame

SLOW = Check(rate_hz=20.0, seconds=3.0, network_ms=200.0)


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    return check_rate(SLOW)


def test_every_image_is_accounted_for(found: dict[str, object]) -> None:
    assert found["published"] == 60
    assert 0 < int(str(found["received"])) <= 60
    assert found["unaccounted"] == 0


def test_a_slow_core_is_given_fewer_images_in_order(found: dict[str, object]) -> None:
    drops = found["drops"]
    assert isinstance(drops, dict)
    assert 2 <= int(str(found["processed"])) <= 20
    assert set(drops) <= {"superseded by a newer image", "no camera_info"}
    assert drops["superseded by a newer image"] > 0
    assert found["in_order"] is True


def test_the_pause_counts_as_the_core_s_and_not_as_the_node_s(found: dict[str, object]) -> None:
    core, overhead, latency = (found[f"{n}_ms"] for n in ("core", "overhead", "latency"))
    assert isinstance(core, dict)
    assert isinstance(overhead, dict)
    assert isinstance(latency, dict)
    assert core["min"] >= 200.0
    assert latency["min"] >= core["min"] + overhead["min"] - 1.0


def test_the_command_prints_json_and_takes_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = plain_frame()
    write_frames(tmp_path / "f.npz", [frame, replace(frame, image=255 - frame.image)])
    words = ["--frames", str(tmp_path / "f.npz"), "--rate", "5", "--seconds", "2", "--json"]
    assert main([*words, "--network-ms", "0", "--no-detections"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["detections"] == "none"
    assert printed["published"] == 10
    assert np.isfinite(printed["memory"]["last_mb"])


def test_a_camera_that_fails_is_named(tmp_path: Path) -> None:
    (tmp_path / "f.npz").write_bytes(b"no frames")
    with pytest.raises(HoisdfError, match=r"the camera ended with status 2: .*f\.npz"):
        check_rate(replace(SLOW, frames=tmp_path / "f.npz"))
