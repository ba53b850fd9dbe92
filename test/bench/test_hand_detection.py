"""Counting what the detector finds, with detections made up for the purpose."""

import numpy as np
import pytest

from hoisdf_ros.bench.hand_detection import HEADER, Tally
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.datatypes import Array, Box, Camera
from hoisdf_ros.detection.detected_hand import DetectedHand
from hoisdf_ros.detection.regions import Region
from hoisdf_ros.geometry.camera import project

CAMERA = Camera(300.0, 300.0, 159.5, 119.5, 320, 240)


@pytest.fixture
def sample() -> Sample:
    joints = np.random.default_rng(0).uniform(-0.08, 0.08, (21, 3)) + np.array([0, 0, 0.5])
    return Sample(
        key="one",
        image=np.zeros((240, 320, 3), np.uint8),
        camera=CAMERA,
        side=Side.RIGHT,
        hand_root=joints[0],
        joints=joints,
        hand_box=box_around(joints, CAMERA),
    )


def hand(sample: Sample, shift: float, right: float = 0.9) -> DetectedHand:
    assert sample.joints is not None
    landmarks: Array = project(sample.joints, CAMERA) + np.array([shift, 0])
    box = Box(*landmarks.min(axis=0).tolist(), *landmarks.max(axis=0).tolist())
    region = Region(0.0, 0.0, 10.0, 0.0)
    return DetectedHand(box, landmarks, np.zeros((21, 3)), 0.9, right, region)


def test_what_is_found_is_counted(sample: Sample) -> None:
    tally = Tally("all")
    best, near = hand(sample, 6.0), hand(sample, 40.0, right=0.1)
    assert tally.add(sample, lambda _: [hand(sample, 500.0), best]) == (best,)
    assert tally.add(sample, lambda _: [near]) == (near,)
    assert tally.add(sample, lambda _: []) == ()
    assert tally.add(sample, lambda _: [hand(sample, -500.0)]) == ()
    assert (tally.pictures, tally.found, tally.near) == (4, 1, 2)
    assert (tally.right_side, tally.false_alarms) == (1, 2)
    assert tally.wrist_px == [pytest.approx(6.0)]
    assert len(tally.row()) == len(HEADER)


def test_a_picture_without_a_hand_is_left_out(sample: Sample) -> None:
    empty = Sample(key="none", image=sample.image, camera=CAMERA)
    tally = Tally("all")
    assert tally.add(empty, lambda _: []) == ()
    assert tally.pictures == 0
    assert len(tally.row()) == len(HEADER)
