"""The wrist from 2D and 3D joints: exact, robust, and as unsure as the theory says."""

import numpy as np
import pytest

from hoisdf_ros.conventions import RootSource
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import RootError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.postprocessing.reprojection import (
    MIN_JOINTS,
    SIZE_STDDEV,
    root_from_pixels,
    wrists_from_pixels,
)

CAMERA = Camera(615.0, 610.0, 322.0, 238.0, 640, 480)


def hands(count: int, depth: float, seed: int = 0) -> tuple[Array, Array]:
    """Joints (B, 21, 3) around the wrist, about as far apart as a hand's, and wrists (B, 3)."""
    rng = np.random.default_rng(seed)
    joints = rng.normal(size=(count, 21, 3)) * 0.03
    joints[:, 0] = 0.0
    wrists = rng.uniform([-0.1, -0.1, depth], [0.1, 0.1, depth], size=(count, 3))
    return joints, wrists


def test_without_noise_it_is_exact() -> None:
    joints, wrists = hands(50, 0.6)
    placed = wrists_from_pixels(joints, project(joints + wrists[:, None], CAMERA), CAMERA)
    np.testing.assert_allclose(placed.positions, wrists, atol=1e-9)
    assert (np.linalg.eigvalsh(placed.covariances) > 0).all()


def test_joints_not_seen_and_some_wrong_ones_do_no_harm() -> None:
    joints, wrists = hands(200, 0.6)
    pixels = project(joints + wrists[:, None], CAMERA)
    pixels[:, 3:6] = np.nan
    pixels[:, 7:10] += [60.0, -40.0]
    placed = wrists_from_pixels(joints, pixels, CAMERA)
    error = np.linalg.norm(placed.positions - wrists, axis=1)
    assert np.median(error) < 0.01
    naive = np.linalg.norm(_plain(joints, np.nan_to_num(pixels), pixels) - wrists, axis=1)
    assert np.median(error) < 0.2 * np.median(naive)


def _plain(joints: Array, pixels: Array, seen: Array) -> Array:
    """Without weights, hand after hand."""
    places = []
    for some, where, shown in zip(joints, pixels, seen, strict=True):
        known = np.isfinite(shown[:, 0])
        n = (where[known] - [CAMERA.cx, CAMERA.cy]) / [CAMERA.fx, CAMERA.fy]
        rows = [[(1, 0, -x), (0, 1, -y)] for x, y in n]
        right = n * some[known, 2:] - some[known, :2]
        places.append(np.linalg.lstsq(np.concatenate(rows), right.ravel(), rcond=None)[0])
    return np.array(places)


@pytest.mark.parametrize(
    ("depth", "pixel", "metre", "scale", "expected"),
    [(0.5, 2, 0, 1.0, 4.5), (0.5, 2, 10, 1.0, 20), (0.5, 2, 10, 1.06, 33), (0.8, 2, 10, 1.0, 28)],
)
def test_it_is_as_sensitive_as_measured_before(
    depth: float, pixel: float, metre: float, scale: float, expected: float
) -> None:
    """Mean errors, mm, of the same on 2000 hands; noise of 3D joints is their mean length."""
    joints, wrists = hands(2000, depth)
    rng = np.random.default_rng(1)
    pixels = project(joints + wrists[:, None], CAMERA)
    pixels += rng.normal(scale=pixel, size=pixels.shape)
    noise = rng.normal(scale=metre * 1e-3 / 1.596, size=joints.shape)
    placed = wrists_from_pixels(joints * scale + noise, pixels, CAMERA)
    error = 1e3 * np.linalg.norm(placed.positions - wrists, axis=1).mean()
    assert 0.6 * expected < error < 1.6 * expected


def test_the_covariance_lies_along_the_ray_and_tells_the_error() -> None:
    joints, wrists = hands(2000, 0.6)
    rng = np.random.default_rng(2)
    pixels = project(joints + wrists[:, None], CAMERA)
    pixels += rng.normal(scale=4.0, size=pixels.shape)
    sizes = rng.normal(1.0, SIZE_STDDEV, size=(2000, 1, 1))
    placed = wrists_from_pixels(joints * sizes, pixels, CAMERA)
    error = placed.positions - wrists
    squares = np.einsum("bi,bij,bj->b", error, np.linalg.inv(placed.covariances), error)
    assert 1.5 < np.mean(squares) < 6.0  # three degrees of freedom
    values, axes = np.linalg.eigh(placed.covariances)
    rays = wrists / np.linalg.norm(wrists, axis=1, keepdims=True)
    assert (np.abs(np.einsum("bi,bi->b", axes[..., 2], rays)) > 0.9).all()
    assert (values[:, 2] > 4 * values[:, 1]).all()


def test_of_several_hands_one_that_is_not_seen_spoils_no_other() -> None:
    joints, wrists = hands(3, 0.6)
    pixels = project(joints + wrists[:, None], CAMERA)
    pixels[1, MIN_JOINTS - 1 :] = np.nan
    placed = wrists_from_pixels(joints, pixels, CAMERA)
    assert np.isnan(placed.positions[1]).all()
    assert np.isnan(placed.covariances[1]).all()
    np.testing.assert_allclose(placed.positions[[0, 2]], wrists[[0, 2]], atol=1e-9)


def test_one_hand_becomes_a_root_that_says_where_it_came_from() -> None:
    (joints,), (wrist,) = hands(1, 0.7)
    root = root_from_pixels(joints, project(joints + wrist, CAMERA), CAMERA)
    assert root.source is RootSource.DETECTION
    np.testing.assert_allclose(root.position, wrist, atol=1e-9)


def test_what_is_no_hand_before_the_camera_is_refused() -> None:
    (joints,), (wrist,) = hands(1, 0.7)
    pixels = project(joints + wrist, CAMERA)
    with pytest.raises(RootError, match=r"^0 joints seen.*expected 6 or more"):
        root_from_pixels(joints, np.full((21, 2), np.nan), CAMERA)
    with pytest.raises(RootError, match=r"^21 joints seen.*in front of the camera"):
        root_from_pixels(-joints, pixels, CAMERA)
