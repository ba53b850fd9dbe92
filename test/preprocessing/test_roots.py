"""The wrist from depth: right on clean depth, robust on dirty, silent on none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import RootSource
from hoisdf_ros.datatypes import Box, Camera, Frame
from hoisdf_ros.errors import ImageError, RootError
from hoisdf_ros.preprocessing.roots import (
    SURFACE_TO_JOINT_M,
    object_center,
    root_from_depth,
    root_given,
)

CAMERA = Camera(600, 600, 320, 240, 640, 480)
BOX = Box(280, 200, 360, 280)
Depth = NDArray[np.float32]


def _frame(depth: Depth | None) -> Frame:
    return Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth)


def _flat(value: float) -> Depth:
    return np.full((480, 640), value, np.float32)


def test_lies_behind_the_skin_on_the_ray_of_the_boxs_middle() -> None:
    root = root_from_depth(_frame(_flat(0.6)), BOX, EstimatorConfig())
    np.testing.assert_allclose(root.position, [0, 0, 0.6 + SURFACE_TO_JOINT_M], atol=1e-6)
    assert root.source is RootSource.DEPTH


def test_background_holes_and_flying_pixels_do_not_count() -> None:
    rng = np.random.default_rng(0)
    depth = _flat(0.6)
    window = depth[200:281, 280:361]
    pick = rng.random(window.shape)
    window[pick < 0.3] = 1.5  # table behind the fingers
    window[(pick > 0.3) & (pick < 0.5)] = np.nan
    window[(pick > 0.5) & (pick < 0.52)] = 0.2  # flying pixels
    root = root_from_depth(_frame(depth), BOX, EstimatorConfig())
    assert abs(root.position[2] - 0.6 - SURFACE_TO_JOINT_M) < 1e-3


def test_covariance_is_a_proper_one_and_knows_the_ray() -> None:
    off_axis = Box(500, 60, 600, 160)
    root = root_from_depth(_frame(_flat(0.5)), off_axis, EstimatorConfig())
    assert (np.linalg.eigvalsh(root.covariance) > 0).all()
    ray = root.position / np.linalg.norm(root.position)
    assert ray @ root.covariance @ ray == pytest.approx(0.03**2, rel=1e-3)


@pytest.mark.parametrize(
    "depth", [None, _flat(np.nan), _flat(9.0), _flat(0.01)], ids=["none", "holes", "far", "near"]
)
def test_without_believable_depth_there_is_no_wrist(depth: Depth | None) -> None:
    with pytest.raises(RootError):
        root_from_depth(_frame(depth), BOX, EstimatorConfig())


def test_a_box_beside_the_image_is_not_called_missing_depth() -> None:
    with pytest.raises(ImageError, match=r"-300.* lies outside the 640x480 image"):
        root_from_depth(_frame(_flat(0.6)), Box(-300, -300, -100, -100), EstimatorConfig())


@pytest.mark.parametrize("box", [Box(600, 200, 900, 280), Box(-90, 9, 9, 90), Box(5, 5, 10, 10)])
def test_too_little_of_a_hand_is_not_called_missing_depth(box: Box) -> None:
    with pytest.raises(RootError, match=r"covers \d+ pixels of the image.*further into view"):
        root_from_depth(_frame(_flat(0.6)), box, EstimatorConfig())


def test_a_given_wrist_has_an_unknown_covariance() -> None:
    root = root_given(np.array([0.1, 0.2, 0.7]), EstimatorConfig())
    assert root.source is RootSource.FIXED
    assert np.isnan(root.covariance).all()


@pytest.mark.parametrize("z", [-0.5, 0.0, np.nan, 0.01, 4.1, 600.0])
def test_a_given_wrist_where_no_hand_is_seen_is_refused(z: float) -> None:
    with pytest.raises(RootError, match=rf"{z}\].*z forward between 0.1 and 4.0"):
        root_given(np.array([0.1, 0.2, z]), EstimatorConfig())


def test_object_center_is_behind_the_whole_centre_pixel() -> None:
    center = object_center(Box(300.0, 200.0, 341.0, 281.0), 0.6, CAMERA)
    np.testing.assert_allclose(center, [0.0, 0.0, 0.6])  # (320.5, 240.5) truncates to (320, 240)
