"""``hoisdf predict`` on a picture, as a user types it."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.bench.pictures import rendered_frames
from hoisdf_ros.cli.main import REFUSED, main

BOXES = ["--hand-box", "250,180,380,320", "--object-box", "300,150,400,330"]
CAMERA = ["--camera", "615,615,320,240", "--weights", ""]
"""Random weights see a hand in noise, trained ones rightly do not."""


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
    assert "note: right_hand: 0 pixels of depth" in capsys.readouterr().out


def test_a_hand_beside_the_picture_is_not_called_missing_depth(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    depth = tmp_path / "depth.png"
    cv2.imwrite(str(depth), np.full((480, 640), 550, np.uint16))
    beside = ["--hand-box", "1250,180,1380,320", "--depth", str(depth)]
    assert main(["predict", str(picture), *CAMERA, *beside]) == REFUSED
    assert "outside the 640x480 image" in capsys.readouterr().err


@pytest.mark.parametrize("taken", ["out", "out/frame_estimate.json", "out/frame_overlay.png"])
def test_an_output_that_cannot_be_written_is_refused(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], taken: str
) -> None:
    path = tmp_path / taken
    path.parent.mkdir(exist_ok=True)
    path.write_text("") if taken == "out" else path.mkdir()
    options = ["--root", "0,0,0.6", "--out", str(tmp_path / "out")]
    assert main(["predict", str(picture), *CAMERA, *BOXES, *options]) == REFUSED
    printed = capsys.readouterr()
    assert f"--out {tmp_path / 'out'}: 'frame_estimate.json'" in printed.err
    assert "choose another" in printed.err
    assert not printed.out


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (["--camera", "615,615,320"], "--camera '615,615,320'"),
        (["--camera", "0,615,320,240"], "positive focal"),
        (["--camera", "nan,615,320,240"], "--camera 'nan,615,320,240': expected 4 finite"),
        (["--hand-box", "380,180,250,320"], "x0 < x1"),
        (["--hand-box", "1250,180,1380,320"], "1380.0, 320.0] lies outside the 640x480 image"),
        (["--root", "1,2"], "--root '1,2'"),
        (["--root", "0,0,60"], "z forward between 0.1 and 4.0"),
        (["--object-id", "nope"], "object 'nope': expected one of 002_master_chef_can, "),
        (["--device", "tpu"], "device 'tpu': expected auto, cpu, cuda or cuda:<index>"),
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


@pytest.mark.parametrize(
    ("content", "part"),
    [(None, "No such file or directory; expected"), (b"", "no pic"), (b"no picture", "no pic")],
)
@pytest.mark.parametrize("which", ["image", "depth"])
def test_a_picture_that_is_none_is_refused_in_our_words_alone(
    picture: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    which: str,
    content: bytes | None,
    part: str,
) -> None:
    path = tmp_path / "other.png"
    if content is not None:
        path.write_bytes(content)
    image, depth = (path, picture) if which == "image" else (picture, path)
    words = ["predict", str(image), *CAMERA, *BOXES, "--depth", str(depth)]
    assert main(words) == REFUSED
    (line,) = capfd.readouterr().err.splitlines()  # OpenCV writes there, too
    assert line.startswith(f"hoisdf predict: {path}")
    assert part in line


def test_a_coloured_picture_is_no_depth(picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(picture), *CAMERA, *BOXES, "--depth", str(picture)]) == REFUSED
    assert "is uint8 (480, 640, 3): expected a 16-bit" in capsys.readouterr().err


def test_finds_the_hand_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = rendered_frames(1)[0]
    picture, depth = tmp_path / "hand.png", tmp_path / "depth.png"
    cv2.imwrite(str(picture), np.ascontiguousarray(frame.image[..., ::-1]))
    assert frame.depth is not None
    cv2.imwrite(str(depth), np.nan_to_num(1000 * frame.depth).astype(np.uint16))
    camera = frame.camera
    known = ["--camera", f"{camera.fx},{camera.fy},{camera.cx},{camera.cy}"]
    out = ["--out", str(tmp_path)]
    assert main(["predict", str(picture), *known, *out, "--depth", str(depth)]) == 0
    with_depth = json.loads((tmp_path / "hand_estimate.json").read_text())["hands"]
    assert main(["predict", str(picture), *known, *out]) == 0
    without = json.loads((tmp_path / "hand_estimate.json").read_text())["hands"]
    assert with_depth[0]["root"]["source"] == "depth"
    assert without[0]["root"]["source"] == "detection"
    capsys.readouterr()
    assert main(["predict", str(picture), *known, *out, "--root", "0,0,0.6"]) == REFUSED
    assert "--root '0,0,0.6': of which hand? Give its --hand-box" in capsys.readouterr().err


def test_where_nothing_is_found_it_says_so(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(picture), *CAMERA, "--out", str(tmp_path)]) == 1
    assert "note: no hand found; name it by --hand-box" in capsys.readouterr().out
