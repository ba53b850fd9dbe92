"""The turned square around a hand."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hoisdf_ros.conventions import MIDDLE_MCP, WRIST
from hoisdf_ros.datatypes import Array
from hoisdf_ros.detection.regions import Region, region_of_landmarks, region_of_palm

UPRIGHT = np.array(
    [[0, 0]]  # wrist
    + [[-30 - 8 * k, -15 - 15 * k] for k in range(4)]  # thumb
    + [[x, -80 - 20 * k] for x in (-20, 0, 20, 40) for k in range(4)],
    float,
)
"""An upright open hand, pixels; the middle knuckle straight above the wrist."""

angles = st.floats(-3.1, 3.1)


def turned(points: Array, angle: float) -> Array:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cos, -sin], [sin, cos]]).T)


@given(angles, st.floats(0.3, 3), st.floats(-500, 500))
def test_the_region_turns_scales_and_moves_with_the_hand(
    angle: float, scale: float, shift: float
) -> None:
    upright = region_of_landmarks(UPRIGHT)
    moved = region_of_landmarks(turned(UPRIGHT, angle) * scale + shift)
    assert moved.size == pytest.approx(upright.size * scale)
    centre = turned(np.array([upright.x, upright.y]), angle) * scale + shift
    assert (moved.x, moved.y) == pytest.approx(tuple(centre), abs=1e-6)
    difference = moved.angle - upright.angle - angle
    assert np.cos(difference) == pytest.approx(1)


@given(angles)
def test_fingers_point_up_in_the_region(angle: float) -> None:
    landmarks = turned(UPRIGHT, angle) + 200
    to_image = region_of_landmarks(landmarks).to_image(224)
    crop = (landmarks - to_image[:, 2]) @ np.linalg.inv(to_image[:, :2]).T
    assert ((crop > 0) & (crop < 223)).all()
    direction = crop[MIDDLE_MCP] - crop[WRIST]
    assert direction[1] < -40
    assert abs(direction[0]) < 0.15 * abs(direction[1])


def test_the_region_of_a_palm_reaches_towards_the_fingers() -> None:
    box = np.array([80.0, 80, 120, 120])
    points = np.tile([100.0, 100.0], (7, 1))
    points[0], points[2] = (100, 120), (100, 80)  # wrist below, knuckle above
    region = region_of_palm(box, points)
    assert (region.x, region.y, region.size) == pytest.approx((100, 80, 104))
    assert region.angle == pytest.approx(0)
    points[0], points[2] = (80, 100), (120, 100)  # pointing right
    region = region_of_palm(box, points)
    assert (region.x, region.y) == pytest.approx((120, 100))
    assert region.angle == pytest.approx(np.pi / 2)


def test_a_crop_shows_what_the_matrix_says() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    spot = (170, 90)
    cv2.circle(image, spot, 3, (255, 255, 255), -1)
    region = Region(150.0, 100.0, 112.0, 0.6)
    crop = region.crop(image, 224)
    v, u = np.nonzero(crop[..., 0] > 127)
    back = region.to_image(224) @ [u.mean(), v.mean(), 1]
    np.testing.assert_allclose(back, spot, atol=0.1)


def test_a_crop_is_black_beyond_the_image() -> None:
    image = np.full((50, 50, 3), 200, np.uint8)
    crop = Region(0.0, 0.0, 40.0, 0.0).crop(image, 64)
    assert not crop[:30, :30].any()
    assert (crop[34:, 34:] == 200).all()
