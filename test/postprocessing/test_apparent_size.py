"""Distance by size: of a palm, however it is turned, and of an outline."""

import numpy as np
import pytest
import torch

from hoisdf_ros.conventions import FINGER_BASES, MIRROR, WRIST
from hoisdf_ros.datatypes import Array, Camera
from hoisdf_ros.errors import RootError
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_right_hand
from hoisdf_ros.postprocessing.apparent_size import (
    PALM,
    PALM_STDDEV,
    Distance,
    agreed,
    depth_of_palm,
    root_from_palm,
    times_as_large,
)

CAMERA = Camera(600, 620, 320, 240, 640, 480)


@pytest.fixture(scope="module")
def joints() -> Array:
    """(21, 3) of the packaged hand, flat, metres from the wrist."""
    model = HandModel(load_right_hand(""))
    with torch.no_grad():
        hand = model(torch.eye(3).expand(1, 16, 3, 3), torch.zeros(1, 10))
    flat: Array = hand.joints[0].double().numpy()
    return flat


def test_the_palm_is_that_of_the_packaged_hand(joints: Array) -> None:
    palm = joints[list(FINGER_BASES)]
    apart = np.linalg.norm(palm[:, None] - palm[None], axis=-1)
    ours = np.linalg.norm(PALM[:, None] - PALM[None], axis=-1)
    np.testing.assert_allclose(ours, apart, atol=0.003)  # it is nearly flat


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    "turn", [(0.0, 0.0, 0.0), (1.2, 0.0, 0.4), (0.3, -1.0, 2.0), (2.2, 1.9, 0)]
)
def test_a_turned_palm_is_as_far_as_it_is(
    joints: Array, turn: tuple[float, float, float], *, mirrored: bool
) -> None:
    turned = joints @ matrix_from_rotation_vector(np.array(turn)).T
    turned = turned @ MIRROR if mirrored else turned
    wrist = np.array([0.05, -0.03, 0.7])
    pixels = project(wrist + turned, CAMERA)
    middle = wrist[2] + turned[list(FINGER_BASES), 2].mean()
    assert depth_of_palm(pixels, CAMERA) == pytest.approx(middle, rel=0.06)
    root = root_from_palm(pixels, turned - turned[WRIST], CAMERA)
    assert np.linalg.norm(root.position - wrist) < 0.05
    ray = wrist / np.linalg.norm(wrist)
    along = np.sqrt(ray @ root.covariance @ ray)
    assert along == pytest.approx(PALM_STDDEV * np.linalg.norm(root.position), rel=0.1)
    across = np.cross(ray, [0.0, 1.0, 0.0])
    assert np.sqrt(across @ root.covariance @ across) < 0.03


def test_a_palm_without_extent_or_at_the_lens_is_none(joints: Array) -> None:
    with pytest.raises(RootError, match=r"one point: .* bring it nearer"):
        depth_of_palm(np.full((21, 2), 100.0), CAMERA)
    pixels = 320 + 1e5 * joints[:, :2]
    with pytest.raises(RootError, match=r"expected 0.05 or more; take the hand farther"):
        root_from_palm(pixels, joints, CAMERA)


def _square(half: int, size: int = 64) -> "np.typing.NDArray[np.bool_]":
    mask = np.zeros((size, size), dtype=bool)
    mask[size // 2 - half : size // 2 + half, size // 2 - half : size // 2 + half] = True
    return mask


def test_a_posed_surface_is_compared_with_its_mask_by_area() -> None:
    cube = box((0.2, 0.2, 0.02))
    intrinsics = np.array([[200.0, 0.0, 64.0], [0.0, 200.0, 64.0], [0.0, 0.0, 1.0]])
    there = cube.vertices + np.array([0.0, 0.0, 1.01])  # its face 40 pixels wide at one metre
    nothing = np.zeros((64, 64), dtype=bool)
    same = times_as_large(there, cube.faces, intrinsics, _square(10), nothing)
    assert same == pytest.approx(1.0, abs=0.06)
    small = times_as_large(there, cube.faces, intrinsics, _square(5), nothing)
    assert small == pytest.approx(2.0, abs=0.12)
    hidden = nothing.copy()
    hidden[:32] = True  # an object before the upper half
    half = times_as_large(there, cube.faces, intrinsics, _square(10) & ~hidden, hidden)
    assert half == pytest.approx(1.0, abs=0.1)  # whole pixels
    assert np.isnan(times_as_large(there, cube.faces, intrinsics, nothing, nothing))
    behind = cube.vertices - np.array([0.0, 0.0, 1.0])
    assert np.isnan(times_as_large(behind, cube.faces, intrinsics, _square(10), nothing))


def test_what_agrees_outweighs_what_does_not() -> None:
    palm, joints, outline = Distance(0.63, 0.15), Distance(1.1, 0.15), Distance(0.60, 0.12)
    learnt = Distance(0.61, 0.11)
    found = agreed([palm, joints], [outline, learnt], new=True)
    assert 0.60 < found.depth < 0.67  # their plain mean is 0.71
    assert found.stddev > 0.2  # but says how unsure that is
    alike = agreed([palm], [outline, learnt], new=True)
    assert alike.depth == pytest.approx(0.61, abs=0.01)
    assert alike.stddev < 0.1
    assert not alike.note


def test_the_surer_one_is_listened_to_more() -> None:
    palm, outline = Distance(0.66, 0.15), Distance(0.60, 0.05)
    assert agreed([palm], [outline], new=True).depth == pytest.approx(0.606, abs=0.002)


def test_landmarks_alone_confirm_nothing_since_they_slip_together() -> None:
    found = agreed([Distance(0.60, 0.15), Distance(0.61, 0.15)], [], new=True)
    assert found.note.startswith("wrist not refined: palm, joints and outline put it at 0.60, 0.61")
    assert 0.60 <= found.depth <= 0.61
    against = agreed([Distance(0.60, 0.15), Distance(0.61, 0.15)], [Distance(1.1, 0.1)], new=True)
    assert against.note


def test_what_is_new_and_has_no_size_of_a_hand_is_none() -> None:
    outline, palm = Distance(0.6, 0.1), Distance(2.0, 0.15)
    with pytest.raises(RootError, match=r"2\.00, 0\.60 m away: .* less than 2\.5 times"):
        agreed([palm], [outline], new=True)
    known = agreed([palm], [outline], new=False)  # a hand that was there is still there, somewhere
    assert known.stddev > 0.5
    assert known.note
