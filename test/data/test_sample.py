"""A sample refuses what contradicts itself, and tells which sample and what."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.datatypes import Camera, ManoParameters
from hoisdf_ros.errors import DataError

CAMERA = Camera(100.0, 100.0, 4.0, 3.0, 9, 7)
WRIST = np.array([0.1, -0.2, 0.6])


def whole() -> Sample:
    joints = WRIST + np.linspace(0, 0.1, 63).reshape(21, 3)
    joints[0] = WRIST
    return Sample(
        key="a/1",
        image=np.zeros((7, 9, 3), np.uint8),
        camera=CAMERA,
        side=Side.LEFT,
        hand_root=WRIST,
        joints=joints,
        mano=ManoParameters(np.zeros(3), np.zeros(45), np.zeros(10), WRIST),
        object_id="024_bowl",
        object_rotation=np.eye(3),
        object_translation=WRIST,
        hand_mask=np.zeros((7, 9), np.bool_),
        object_mask=np.ones((7, 9), np.bool_),
        depth=np.full((7, 9), np.nan, np.float32),
    )


def test_a_picture_alone_is_a_sample() -> None:
    sample = Sample("k", np.zeros((7, 9, 3), np.uint8), CAMERA)
    assert sample.joints is None
    assert sample.object_id is None


def test_a_wrist_alone_is_enough() -> None:
    assert replace(whole(), joints=None, mano=None).hand_root is WRIST


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"image": np.zeros((9, 7, 3), np.uint8)},
            r"uint8 \(9, 7, 3\), expected uint8 \(7, 9, 3\)",
        ),
        ({"image": np.zeros((7, 9, 3))}, "image is float64"),
        ({"hand_mask": np.zeros((7, 9), np.uint8)}, "hand_mask is uint8"),
        ({"object_mask": np.zeros((7, 8), np.bool_)}, "object_mask"),
        ({"depth": np.zeros((7, 9))}, "depth is float64"),
        ({"joints": np.zeros((16, 3))}, "joints"),
        ({"joints": np.full((21, 3), np.nan)}, "joints"),
        ({"joints": np.zeros((21, 3))}, "the first of joints"),
        ({"hand_root": None}, "hand_root None, expected the same place"),
        ({"hand_root": np.zeros(2)}, "hand_root"),
        (
            {"mano": ManoParameters(np.zeros(3), np.zeros(45), np.zeros(10), np.zeros(3))},
            "a hand model's own translation",
        ),
        (
            {"mano": ManoParameters(np.zeros(3), np.zeros(6), np.zeros(10), WRIST)},
            r"mano\.pose",
        ),
        ({"side": Side.UNKNOWN}, "LEFT or RIGHT"),
        ({"object_id": None}, "object_id"),
        ({"object_translation": None}, "half an object pose"),
        ({"object_rotation": np.diag([1.0, 1.0, -1.0])}, "expected a rotation"),
        ({"object_rotation": 1.01 * np.eye(3)}, "expected a rotation"),
    ],
)
def test_contradictions_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        replace(whole(), **change)
    assert "'a/1'" in str(caught.value)


def test_box_around_points_in_front() -> None:
    box = box_around([[0.0, 0.0, 1.0], [0.02, 0.01, 0.5]], CAMERA)
    assert box is not None
    assert box.array() == pytest.approx([4, 3, 8, 5])


@pytest.mark.parametrize("points", [[[0, 0, 1], [0.1, 0.1, -1]], [[0, 0, 1], [0.1, 0, 1]]])
def test_no_box_behind_the_camera_or_without_area(points: list[list[float]]) -> None:
    assert box_around(points, CAMERA) is None
