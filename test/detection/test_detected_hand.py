"""The landmark network's numbers in pixels and camera axes."""

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.detection.detected_hand import detected_hand
from hoisdf_ros.detection.regions import Region

RNG = np.random.default_rng(4)
PIXELS = RNG.uniform(20, 200, (21, 3))
METRES = RNG.uniform(-0.08, 0.08, (21, 3))


def test_an_upright_region_only_scales_and_moves() -> None:
    hand = detected_hand(Region(300.0, 200.0, 448.0, 0.0), PIXELS, METRES, 0.9, 0.2)
    # the network counts from the crop's edge, 224 pixels left of and above the region's middle
    np.testing.assert_allclose(hand.landmarks, PIXELS[:, :2] * 2 + (76, -24), atol=1e-9)
    np.testing.assert_allclose(hand.world, METRES - METRES[0])
    assert hand.side is Side.LEFT
    assert hand.box.array() == pytest.approx(
        [*hand.landmarks.min(axis=0), *hand.landmarks.max(axis=0)]
    )


def test_a_turned_region_turns_pixels_and_metres_alike() -> None:
    upright, turned = (
        detected_hand(Region(0.0, 0.0, 224.0, angle), PIXELS, METRES, 0.9, 0.8)
        for angle in (0.0, np.pi / 2)
    )
    clockwise = np.array([[0.0, -1], [1, 0]])
    np.testing.assert_allclose(turned.landmarks, upright.landmarks @ clockwise.T, atol=1e-9)
    np.testing.assert_allclose(turned.world[:, :2], upright.world[:, :2] @ clockwise.T, atol=1e-9)
    np.testing.assert_allclose(turned.world[:, 2], upright.world[:, 2])
    assert turned.side is Side.RIGHT


def test_the_wrist_is_the_origin() -> None:
    hand = detected_hand(Region(0.0, 0.0, 224.0, 1.0), PIXELS, METRES, 0.9, 0.8)
    assert (hand.world[0] == 0).all()
