"""Projection: known pixels, round trips, points behind the camera."""

import numpy as np

from hoisdf_ros.datatypes import Camera
from hoisdf_ros.geometry.camera import backproject, points_from_depth, project

CAMERA = Camera(fx=600.0, fy=620.0, cx=319.5, cy=241.0, width=640, height=480)


def test_the_optical_axis_meets_the_principal_point() -> None:
    assert np.allclose(project([0.0, 0.0, 0.7], CAMERA), [319.5, 241.0])


def test_right_and_down_are_positive_and_scale_with_the_focal_length() -> None:
    assert np.allclose(project([0.1, 0.1, 1.0], CAMERA), [379.5, 303.0])
    assert np.allclose(project([0.1, 0.1, 2.0], CAMERA), [349.5, 272.0])


def test_projection_agrees_with_the_camera_matrix() -> None:
    points = np.random.default_rng(0).uniform([-1, -1, 0.2], [1, 1, 3], size=(4, 6, 3))
    homogeneous = points @ CAMERA.matrix.T
    assert np.allclose(project(points, CAMERA), homogeneous[..., :2] / homogeneous[..., 2:])


def test_backprojection_is_the_inverse() -> None:
    points = np.random.default_rng(1).uniform([-1, -1, 0.2], [1, 1, 3], size=(50, 3))
    assert np.allclose(backproject(project(points, CAMERA), points[:, 2], CAMERA), points)


def test_one_depth_serves_many_pixels() -> None:
    points = backproject(np.zeros((5, 2)), 0.5, CAMERA)
    assert points.shape == (5, 3)
    assert np.allclose(points[:, 2], 0.5)


def test_points_not_in_front_have_no_pixel() -> None:
    pixels = project([[0.1, 0.2, -1.0], [0.1, 0.2, 0.0], [0.0, 0.0, 1.0]], CAMERA)
    assert np.isnan(pixels[:2]).all()
    assert np.isfinite(pixels[2]).all()


def test_depth_map_becomes_points_that_project_onto_their_own_pixels() -> None:
    camera = Camera(50.0, 50.0, 3.5, 2.5, width=8, height=6)
    depth = np.full((6, 8), 0.8, dtype=np.float32)
    depth[2, 3] = np.nan
    points = points_from_depth(depth, camera)
    assert np.isnan(points[2, 3]).all()
    points[2, 3] = points[2, 4]
    pixels = project(points, camera)
    assert np.allclose(pixels[5, 7], [7, 5])
    assert np.allclose(pixels[0, 0], [0, 0])
