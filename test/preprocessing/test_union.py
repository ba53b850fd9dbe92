"""What a hand may hold: the surface that it goes over into."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Box, Camera, Frame
from hoisdf_ros.preprocessing.boxes import mirrored
from hoisdf_ros.preprocessing.union import WIDER, Grip, union_box

CAMERA = Camera(600, 600, 310.3, 240, 640, 480)
HAND = Box(280, 200, 360, 280)
WRIST = np.array([-0.03, 0.05, 0.62])
FINGERS = np.array([0.05, -0.08, 0.0])
GRIP = Grip(HAND, Side.RIGHT, WRIST, FINGERS)


def _frame(**parts: tuple[float, tuple[int, int, int, int]]) -> Frame:
    """A wall, and rectangles (depth, (x0, y0, x1, y1)) before it."""
    depth = np.full((480, 640), 1.4, np.float32)
    for z, (x0, y0, x1, y1) in parts.values():
        depth[y0:y1, x0:x1] = z
    return Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth)


HAND_PART = (0.6, (285, 205, 355, 275))
THING = (0.605, (340, 150, 420, 230))
ARM = (0.6, (200, 270, 300, 400))


def test_the_thing_in_the_hand_is_inside() -> None:
    box = union_box(_frame(hand=HAND_PART, thing=THING), GRIP)
    np.testing.assert_allclose(box.array(), [280, 150, 420, 280], atol=4)


def test_a_thing_behind_the_hand_is_not() -> None:
    behind = (0.7, THING[1])
    box = union_box(_frame(thing=behind, hand=HAND_PART), GRIP)
    assert box == HAND


def test_the_forearm_is_cut_off_where_the_hand_s_direction_is_known() -> None:
    frame = _frame(hand=HAND_PART, thing=THING, arm=ARM)
    cut = union_box(frame, GRIP)
    whole = union_box(frame, replace(GRIP, fingers=None))
    assert whole.y1 > cut.y1 + 30
    assert cut.y1 < 310
    assert cut.y0 < 155


def test_a_left_hand_gets_the_mirror_image_exactly() -> None:
    frame = _frame(hand=HAND_PART, thing=THING, arm=ARM)
    assert frame.depth is not None
    other = Frame(
        np.ascontiguousarray(frame.image[:, ::-1]),
        replace(CAMERA, cx=639 - CAMERA.cx),
        np.ascontiguousarray(frame.depth[:, ::-1]),
    )
    flip = np.array([-1.0, 1.0, 1.0])
    left = Grip(mirrored(HAND, 640), Side.LEFT, WRIST * flip, FINGERS * flip)
    expected = mirrored(union_box(frame, GRIP), 640)
    np.testing.assert_allclose(union_box(other, left).array(), expected.array(), atol=1e-9)


def test_without_depth_the_box_is_widened() -> None:
    box = union_box(replace(_frame(), depth=None), GRIP)
    assert box.center == HAND.center
    np.testing.assert_allclose(box.size, np.multiply(HAND.size, WIDER))


@pytest.mark.parametrize("box", [Box(-300, 10, -200, 60), Box(700, 10, 800, 60)])
def test_a_box_beside_the_image_stays_as_it_is(box: Box) -> None:
    assert union_box(_frame(), replace(GRIP, box=box)) == box
