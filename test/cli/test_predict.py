"""``hoisdf predict`` on a picture, as a user types it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.cli.main import REFUSED, main

BOXES = ["--hand-box", "250,180,380,320", "--object-box", "300,150,400,330"]
CAMERA = ["--camera", "615,615,320,240"]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "frame.png"
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    cv2.imwrite(str(path), image)
    return path


def test_writes_an_overlay_and_plain_json(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--root", "0.01,0.02,0.6", "--object-id", "006_mustard_bottle", "--out", str(out)]
    assert main(["predict", str(picture), *CAMERA, *BOXES, *options]) == 0
    document = json.loads((out / "frame_estimate.json").read_text())
    (hand,), (held,) = document["hands"], document["objects"]
    assert hand["side"] == "right"
    np.testing.assert_allclose(hand["joints"][0], [0.01, 0.02, 0.6])
    assert hand["joint_stddev"][0] is None  # unknown, never zero
    assert held["covariance"] is None
    assert len(document["joint_names"]) == len(hand["joints"]) == 21
    overlay = cv2.imread(str(out / "frame_overlay.png"))
    assert overlay is not None
    assert overlay.shape == (480, 640, 3)
    assert "untrained weights: poses are meaningless" in capsys.readouterr().out


def test_takes_the_wrist_from_a_depth_picture(picture: Path, tmp_path: Path) -> None:
    depth = tmp_path / "depth.png"
    cv2.imwrite(str(depth), np.full((480, 640), 550, np.uint16))
    options = ["--depth", str(depth), "--out", str(tmp_path), "--side", "left"]
    assert main(["predict", str(picture), *CAMERA, *BOXES[:2], *options]) == 0
    document = json.loads((tmp_path / "frame_estimate.json").read_text())
    assert document["hands"][0]["root"]["source"] == "depth"
    assert document["hands"][0]["side"] == "left"
    assert not document["objects"]


def test_without_any_valid_depth_says_so_and_fails(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    depth = tmp_path / "depth.png"
    cv2.imwrite(str(depth), np.zeros((480, 640), np.uint16))
    options = ["--depth", str(depth), "--out", str(tmp_path)]
    assert main(["predict", str(picture), *CAMERA, *BOXES, *options]) == 1
    assert "left out: right_hand: 0 pixels of depth" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (["--camera", "615,615,320"], "--camera '615,615,320'"),
        (["--camera", "0,615,320,240"], "positive focal"),
        (["--camera", "nan,615,320,240"], "--camera 'nan,615,320,240'"),
        (["--hand-box", "380,180,250,320"], "x0 < x1"),
        (["--root", "1,2"], "--root '1,2'"),
        (["--weights", "/no/such.pth"], "no such file"),
    ],
)
def test_bad_input_is_refused_with_its_value(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: list[str], part: str
) -> None:
    options = ["--root", "0,0,0.6", "--out", str(tmp_path / "out"), *change]
    assert main(["predict", str(picture), *CAMERA, *BOXES, *options]) == REFUSED
    assert part in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_picture_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "frame.png"
    path.write_text("no picture")
    assert main(["predict", str(path), *CAMERA, *BOXES, "--root", "0,0,0.6"]) == REFUSED
    assert "readable picture" in capsys.readouterr().err
