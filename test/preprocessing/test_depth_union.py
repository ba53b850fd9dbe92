"""The first box around hand and held object, by depth alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.datatypes import Box, Camera, Frame
from hoisdf_ros.preprocessing.depth_union import depth_union

CAMERA = Camera(600, 600, 320, 240, 640, 480)
HAND = Box(280, 200, 360, 280)
CONFIG = EstimatorConfig()
Depth = NDArray[np.float32]


def _depth(background: float = 1.5) -> Depth:
    depth = np.full((480, 640), background, np.float32)
    depth[200:281, 280:361] = 0.6
    return depth


def _union(depth: Depth | None) -> Box | None:
    return depth_union(Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth), HAND, CONFIG)


def _union_of(depth: Depth) -> Box:
    found = _union(depth)
    assert found is not None
    return found


def test_a_lone_hand_keeps_its_box() -> None:
    np.testing.assert_allclose(_union_of(_depth()).array(), HAND.array(), atol=5)


def test_what_hangs_together_with_the_hand_belongs_to_it() -> None:
    depth = _depth()
    depth[160:230, 340:420] = 0.61
    np.testing.assert_allclose(_union_of(depth).array(), [280, 160, 420, 280], atol=6)


def test_what_lies_before_or_behind_does_not() -> None:
    depth = _depth()
    depth[160:230, 340:420] = 0.68  # a step of 8 cm
    np.testing.assert_allclose(_union_of(depth).array(), HAND.array(), atol=5)


def test_a_forearm_goes_on_beyond_reach_and_is_left_out() -> None:
    depth = _depth()
    depth[160:230, 340:420] = 0.61
    depth[220:260, 0:300] = 0.61
    union = _union_of(depth)
    assert union.x0 > 215  # TRUNK_M stays
    assert union.x1 == pytest.approx(420, abs=6)


def test_a_hand_on_a_table_is_not_the_whole_table() -> None:
    depth = np.full((480, 640), 0.62, np.float32)
    depth[200:281, 280:361] = 0.61
    union = _union_of(depth)
    assert max(union.size) < 200


@pytest.mark.parametrize(
    "depth",
    [None, np.full((480, 640), np.nan, np.float32), np.full((480, 640), 9.0, np.float32)],
    ids=["none", "holes", "far"],
)
def test_without_believable_depth_there_is_no_box(depth: Depth | None) -> None:
    assert _union(depth) is None


def test_holes_and_the_images_border_are_no_trouble() -> None:
    depth = _depth()
    depth[::3, ::3] = np.nan
    depth[:, 635:] = np.nan
    np.testing.assert_allclose(_union_of(depth).array(), HAND.array(), atol=6)
    beside = depth_union(
        Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, _depth()), Box(700, 0, 800, 90), CONFIG
    )
    assert beside is None
