"""The wrist from depth: right on clean depth, robust on dirty, silent on none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import RootSource
from hoisdf_ros.datatypes import Array, Box, Camera, Frame
from hoisdf_ros.errors import ImageError, RootError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.preprocessing.roots import (
    SURFACE_TO_JOINT_M,
    object_center,
    root_from_depth,
    root_from_landmarks,
    root_given,
)

SPREAD = np.array(
    [[0, 0, 0], *([0.02 * (f - 2), -0.03 * (s + 2), 0] for f in range(5) for s in range(4))]
)
"""(21, 3) joints of a spread hand, fingers up, metres from the wrist."""

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


def _landmarks(wrist: "np.typing.NDArray[np.float64]") -> tuple[Array, Array]:
    """Pixels and metres from the wrist of a spread hand."""
    joints = wrist + SPREAD
    return project(joints, CAMERA), joints - wrist


def test_landmarks_tell_the_wrist_behind_the_skin() -> None:
    wrist = np.array([0.03, 0.05, 0.62])
    pixels, world = _landmarks(wrist)
    root = root_from_landmarks(_frame(_flat(0.6)), pixels, world, EstimatorConfig())
    assert root is not None
    assert np.linalg.norm(root.position - wrist) < 0.015
    assert abs(root.position[2] - wrist[2]) < 0.001
    assert (np.linalg.eigvalsh(root.covariance) > 0).all()


def test_what_hides_the_wrist_is_not_taken_for_it() -> None:
    wrist = np.array([0.03, 0.05, 0.62])
    pixels, world = _landmarks(wrist)
    depth = _flat(0.6)
    u, v = np.rint(pixels[0]).astype(int)
    depth[v - 12 : v + 12, u - 12 : u + 12] = 0.45
    root = root_from_landmarks(_frame(depth), pixels, world, EstimatorConfig())
    assert root is not None
    assert abs(root.position[2] - wrist[2]) < 0.015


@pytest.mark.parametrize("value", [np.nan, 9.0])
def test_landmarks_without_believable_depth_tell_nothing(value: float) -> None:
    pixels, world = _landmarks(np.array([0.0, 0.0, 0.6]))
    assert root_from_landmarks(_frame(_flat(value)), pixels, world, EstimatorConfig()) is None
    assert root_from_landmarks(_frame(None), pixels, world, EstimatorConfig()) is None


def test_landmarks_beside_the_image_are_not_asked() -> None:
    pixels, world = _landmarks(np.array([0.53, 0.0, 0.6]))  # half of the hand is outside
    root = root_from_landmarks(_frame(_flat(0.58)), pixels, world, EstimatorConfig())
    assert root is None or abs(root.position[2] - 0.6) < 0.02


@pytest.mark.parametrize("depth", [0.2, 1.9])
def test_landmarks_on_what_cannot_be_a_hand_are_refused(depth: float) -> None:
    pixels, world = _landmarks(np.array([0.0, 0.05, 0.6]))
    with pytest.raises(RootError, match="times as large as a hand"):
        root_from_landmarks(_frame(_flat(depth)), pixels, world, EstimatorConfig())
