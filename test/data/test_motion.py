"""Motions: smooth, rigid, and inside the picture once they have come in."""

import numpy as np
import pytest

from hoisdf_ros.data.motion import Motion, random_motion, room
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.geometry.camera import project

CAMERA = Camera(615.0, 615.0, 319.5, 239.5, 640, 480)
DURATION, RADIUS = 5.0, 0.15


def motion(seed: int, camera: Camera = CAMERA) -> Motion:
    return random_motion(camera, RADIUS, DURATION, np.random.default_rng(seed))


def ball(centre: Array) -> Array:
    points = np.random.default_rng(9).normal(size=(400, 3))
    surface: Array = centre + RADIUS * points / np.linalg.norm(points, axis=1, keepdims=True)
    return surface


@pytest.mark.parametrize("seed", range(6))
def test_the_ball_stays_in_the_picture_between_entry_and_exit(seed: int) -> None:
    path = motion(seed)
    for time in np.linspace(0.8, DURATION - 0.8, 25):
        _, centre = path.at(time)
        pixels = project(ball(centre), CAMERA)
        assert (pixels >= 0).all()
        assert (pixels <= [639, 479]).all()
        assert 0.45 <= centre[2] <= 0.85


@pytest.mark.parametrize("seed", range(6))
def test_it_comes_from_outside_and_leaves(seed: int) -> None:
    path = motion(seed)
    for time in (0.0, DURATION):
        pixels = project(ball(path.at(time)[1]), CAMERA)
        assert ((pixels < 0) | (pixels > [639, 479])).any(axis=1).all()


@pytest.mark.parametrize("seed", range(6))
def test_it_moves_without_jumps_and_stays_rigid(seed: int) -> None:
    path = motion(seed)
    times = np.arange(0.0, DURATION, 1 / 30)
    path_at = [path.at(float(time)) for time in times]
    rotations, centres = (np.array(part) for part in zip(*path_at, strict=True))
    assert np.allclose(rotations @ np.swapaxes(rotations, 1, 2), np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(rotations), 1.0)
    assert np.linalg.norm(np.diff(centres, axis=0), axis=1).max() < 0.07
    settled = (times > 0.8) & (times < DURATION - 0.8)
    assert np.linalg.norm(np.diff(centres[settled], axis=0), axis=1).max() < 0.01
    assert np.abs(np.diff(rotations, axis=0)).max() < 0.03


def test_the_forearm_comes_from_below() -> None:
    for seed in range(10):
        rotation, _ = motion(seed).at(2.0)
        assert rotation[1, 0] > 0.2  # x of the hand, towards the elbow, points down


def test_a_narrow_camera_is_kept_at_a_distance() -> None:
    tele = Camera(2000.0, 2000.0, 319.5, 239.5, 640, 480)
    _, centre = motion(0, tele).at(2.0)
    assert centre[2] > 1.2
    pixels = project(ball(centre), tele)
    assert (pixels >= 0).all()
    assert (pixels <= [639, 479]).all()


def test_room_is_where_the_ball_touches_the_border() -> None:
    x, y = room(CAMERA, RADIUS, 0.7)
    for centre, edge, axis in (([x, 0, 0.7], 639.0, 0), ([0, y, 0.7], 479.0, 1)):
        dense = np.random.default_rng(1).normal(size=(200_000, 3))
        surface = centre + RADIUS * dense / np.linalg.norm(dense, axis=1, keepdims=True)
        assert project(surface, CAMERA)[:, axis].max() == pytest.approx(edge, abs=0.5)
