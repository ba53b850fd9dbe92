"""CameraInfo: what scales, what is refused."""

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo

from hoisdf_ros.datatypes import Camera
from hoisdf_ros.errors import CameraError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.ros.camera_messages import camera_from_message
from hoisdf_ros.ros.sensor_messages import camera_info_message, header_at

CAMERA = Camera(600.0, 610.0, 322.5, 238.0, 640, 480, "optical")


@pytest.fixture
def info() -> CameraInfo:
    return camera_info_message(header_at(0, "optical"), CAMERA)


def test_the_message_of_a_camera_is_that_camera(info: CameraInfo) -> None:
    assert camera_from_message(info, 640, 480) == CAMERA


@pytest.mark.parametrize("binning", [2, 4])
def test_binning_maps_the_middle_of_a_block_onto_its_pixel(info: CameraInfo, binning: int) -> None:
    small = camera_from_message(info, 640 // binning, 480 // binning)
    point = np.array([0.07, -0.03, 0.6])
    assert np.allclose((project(point, small) + 0.5) * binning - 0.5, project(point, CAMERA))


def test_a_window_shifts_the_principal_point(info: CameraInfo) -> None:
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 100, 60, 320, 240
    window = camera_from_message(info, 320, 240)
    point = np.array([0.01, -0.02, 0.6])
    offset = np.array([100, 60])
    assert np.allclose(project(point, window) + offset, project(point, CAMERA))


@pytest.mark.parametrize("size", [(320, 480), (1280, 960), (639, 480), (427, 320)])
def test_other_sizes_are_refused_with_both_sizes(info: CameraInfo, size: tuple[int, int]) -> None:
    with pytest.raises(CameraError, match=f"640x480.*{size[0]}x{size[1]}"):
        camera_from_message(info, *size)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), -600.0])
@pytest.mark.parametrize("element", [0, 4])
def test_useless_focal_lengths_are_refused(info: CameraInfo, element: int, value: float) -> None:
    info.k[element] = value
    with pytest.raises(CameraError, match=r"K has fx.*calibrate"):
        camera_from_message(info, 640, 480)


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("skew", [0.5, -0.5, float("nan")])
def test_skew_is_never_ignored(info: CameraInfo, skew: float, rectified: bool) -> None:
    info.k[1] = info.p[1] = skew
    with pytest.raises(CameraError, match=rf"skew [KP]\[1\] = {skew}: expected 0"):
        camera_from_message(info, 640, 480, rectified)
    info.k[1] = info.p[1] = 1e-9
    assert camera_from_message(info, 640, 480, rectified) == CAMERA


def test_an_empty_message_is_refused() -> None:
    with pytest.raises(CameraError, match="K has"):
        camera_from_message(CameraInfo(width=640, height=480), 640, 480)


@pytest.mark.parametrize("distortion", [[0.1, 0, 0, 0, 0], [0, 0, 0, 0, float("nan")]])
def test_distortion_is_never_ignored(info: CameraInfo, distortion: list[float]) -> None:
    info.d = [float(value) for value in distortion]
    with pytest.raises(CameraError, match=r"plumb_bob distortion.*image_is_rectified"):
        camera_from_message(info, 640, 480)


def test_a_rectified_image_goes_by_p_whatever_the_lens(info: CameraInfo) -> None:
    info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    info.p[0], info.p[2] = 580.0, 315.0
    camera = camera_from_message(info, 640, 480, rectified=True)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (580.0, 610.0, 315.0, 238.0)


def test_a_rectified_image_needs_p(info: CameraInfo) -> None:
    info.p = np.zeros(12)
    with pytest.raises(CameraError, match="P has"):
        camera_from_message(info, 640, 480, rectified=True)
