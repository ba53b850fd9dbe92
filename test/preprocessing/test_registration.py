"""Depth that lies beside its image is seen by the edges of both."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Box, Camera, Frame
from hoisdf_ros.preprocessing.registration import (
    CELLS,
    FARTHEST,
    LEAST,
    Registration,
    edge_match,
)

CAMERA = Camera(600, 600, 319.5, 239.5, 640, 480)
CELL = CAMERA.width // CELLS
HAND = Box(260, 180, 380, 300)
Depth = NDArray[np.float32]


def _scene(seed: int = 0) -> Frame:
    """A textured table, on it some boxes and a hand of a few fingers, nearer than it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 140, (60, 80, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)
    depth = np.full((480, 640), 1.0, np.float32)
    fingers = [(270 + 24 * n, 185 + 9 * abs(n - 2), 16, 60) for n in range(5)]
    boxes = [(60, 70, 110, 80), (460, 300, 90, 120), (270, 245, 112, 55), *fingers]
    for number, (x, y, width, height) in enumerate(boxes):
        inside = np.s_[y : y + height, x : x + width]
        depth[inside] = 0.85 if number < 2 else 0.6
        image[inside] = rng.integers(0, 255, 3) if number < 2 else (214, 170, 140)
    noise = rng.normal(0, 4, image.shape)
    return Frame(np.clip(image + noise, 0, 255).astype(np.uint8), CAMERA, depth)


def _moved(frame: Frame, right: int, down: int) -> Frame:
    assert frame.depth is not None
    return replace(frame, depth=np.roll(frame.depth, (down, right), axis=(0, 1)))


def test_says_nothing_of_depth_that_lies_on_the_image() -> None:
    assert Registration()(_scene(), HAND) == ""


@pytest.mark.parametrize(("right", "down"), [(24, 0), (-24, 0), (0, 28), (-16, 20)])
def test_says_how_far_depth_lies_beside_the_image(right: int, down: int) -> None:
    words = Registration()(_moved(_scene(), right, down), HAND)
    percent = re.search(r"about (\d+) %", words)
    assert percent is not None, words
    assert abs(int(percent[1]) * 6.4 - np.hypot(right, down)) < 2 * CELL
    assert "align_depth" in words


def test_the_best_match_is_where_depth_has_to_be_moved() -> None:
    match = edge_match(_moved(_scene(), 6 * CELL, -4 * CELL), HAND)
    assert match is not None
    assert match.shape == (2 * FARTHEST + 1, 2 * FARTHEST + 1)
    place = np.unravel_index(int(match.argmax()), match.shape)
    assert [int(axis) - FARTHEST for axis in place] == [4, -6]


def test_a_pixel_or_two_are_no_fault() -> None:
    shift = int((LEAST - 1) * CELL)
    assert Registration()(_moved(_scene(), shift, 0), HAND) == ""


def test_holes_speak_for_nothing_and_against_nothing() -> None:
    frame = _scene()
    assert frame.depth is not None
    depth = frame.depth.copy()
    depth[np.random.default_rng(1).random(depth.shape) < 0.4] = np.nan
    assert Registration()(replace(frame, depth=depth), HAND) == ""
    assert Registration()(replace(frame, depth=np.full_like(depth, np.nan)), HAND) == ""
    assert edge_match(replace(frame, depth=np.full_like(depth, 0.7)), HAND) is None  # a wall


def test_a_picture_without_edges_says_nothing() -> None:
    noise = np.random.default_rng(2).normal(25, 6, (480, 640, 3))
    dark = replace(_moved(_scene(), 24, 0), image=np.clip(noise, 0, 255).astype(np.uint8))
    assert Registration()(dark, HAND) == ""


@pytest.mark.parametrize(
    "box", [Box(-90, -90, -10, -10), Box(700, 10, 800, 90), Box(-5, 470, 12, 490)]
)
def test_a_hand_at_or_beyond_the_border_is_no_reason_to_fail(box: Box) -> None:
    assert Registration()(_scene(), box) == ""


def test_one_bad_look_among_good_ones_is_forgiven_and_a_mended_camera_is_noticed() -> None:
    watch, good, bad = Registration(), _scene(), _moved(_scene(), 24, 0)
    for number in range(6):
        assert watch(replace(good, stamp=0.25 * number), HAND) == ""
    assert watch(replace(bad, stamp=1.5), HAND) == ""
    words = [bool(watch(replace(bad, stamp=1.75 + 0.25 * n), HAND)) for n in range(12)]
    assert words == sorted(words)
    assert words[-1]
    words = [bool(watch(replace(good, stamp=5.0 + 0.25 * n), HAND)) for n in range(12)]
    assert not words[-1]


def test_what_was_seen_by_another_camera_is_forgotten() -> None:
    watch = Registration()
    assert watch(_moved(_scene(), 24, 0), HAND)
    assert watch(replace(_scene(), camera=replace(CAMERA, fx=610.0)), HAND) == ""


def test_small_pictures_are_compared_as_large_ones_are() -> None:
    frame = _moved(_scene(), 24, 0)
    assert frame.depth is not None
    small = Frame(
        cv2.resize(frame.image, (320, 240), interpolation=cv2.INTER_AREA).astype(np.uint8),
        Camera(300, 300, 159.5, 119.5, 320, 240),
        np.ascontiguousarray(frame.depth[::2, ::2]),
    )
    assert Registration()(small, Box(130, 90, 190, 150))
