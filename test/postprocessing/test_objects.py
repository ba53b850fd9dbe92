"""Objects in the camera frame, and what the hand touches."""

from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.conventions import MIRROR, RootSource, Side
from hoisdf_ros.datatypes import Array, Box, Camera, Detection, HandEstimate, Root
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.postprocessing.hand import RawHand, Seen, estimate_hand
from hoisdf_ros.postprocessing.objects import (
    KnownObject,
    ObjectLibrary,
    RawObject,
    estimate_object,
    vote_covariance,
)

ASSETS = Path(__file__).parents[2] / "hoisdf_ros" / "assets" / "objects"
BOX = Box(250, 180, 380, 320)
SEEN = Detection("009_gelatin_box", BOX, 0.7)


@pytest.fixture(scope="module")
def gelatin() -> KnownObject:
    known = ObjectLibrary(ASSETS).get("009_gelatin_box")
    assert known is not None
    return known


def _hand(vertices: Array, covariance: Array) -> HandEstimate:
    root = Root(np.zeros(3), covariance, RootSource.DEPTH)
    joints = np.zeros((21, 3))
    joints[1:] = np.random.default_rng(0).normal(0, 0.05, (20, 3))
    flat = np.tile(np.eye(3), (16, 1, 1))
    weights = np.full((2, 20), 0.5)
    raw = RawHand(vertices, joints, flat, np.zeros(10), np.zeros((2, 20, 3)), weights)
    seen = Seen(4, Side.RIGHT, 1.0, 1.0, root, BOX)
    return estimate_hand(raw, seen, Camera(600, 600, 320, 240, 640, 480))


def _raw(votes: Array, *, mirrored: bool = False) -> RawObject:
    rotation, translation = np.array([0.3, -0.2, 0.5]), np.array([0.01, 0.02, -0.03])
    return RawObject(rotation, translation, votes, np.array([0.1, 0.0, 0.6]), mirrored)


def test_pose_is_the_centre_plus_the_prediction(gelatin: KnownObject) -> None:
    hand = _hand(np.ones((778, 3)), np.eye(3) * 1e-4)
    held = estimate_object(_raw(np.zeros((9, 6))), gelatin, SEEN, hand)
    np.testing.assert_allclose(held.translation, [0.11, 0.02, 0.57])
    np.testing.assert_allclose(held.rotation, matrix_from_rotation_vector([0.3, -0.2, 0.5]))
    assert (held.id, held.hand_id, held.object_id, held.score) == (4, 4, SEEN.label, 0.7)
    np.testing.assert_allclose(held.size, gelatin.mesh.size)


def test_a_mirrored_crop_gives_the_mirrored_pose(gelatin: KnownObject) -> None:
    hand = _hand(np.ones((778, 3)), np.eye(3) * 1e-4)
    held = estimate_object(_raw(np.zeros((9, 6)), mirrored=True), gelatin, SEEN, hand)
    np.testing.assert_allclose(held.translation, [0.09, 0.02, 0.57])
    expected = MIRROR @ matrix_from_rotation_vector([0.3, -0.2, 0.5]) @ MIRROR
    np.testing.assert_allclose(held.rotation, expected)


def test_distance_is_negative_inside_and_contact_is_near(gelatin: KnownObject) -> None:
    raw = _raw(np.zeros((9, 6)))
    pose = estimate_object(raw, gelatin, SEEN, _hand(np.ones((778, 3)), np.eye(3) * 1e-4))
    middle = (gelatin.mesh.vertices.max(axis=0) + gelatin.mesh.vertices.min(axis=0)) / 2
    inside = pose.rotation @ middle + pose.translation
    vertices = np.ones((778, 3))
    vertices[0] = inside
    hand = _hand(vertices, np.eye(3) * 1e-4)
    held = estimate_object(raw, gelatin, SEEN, hand)
    assert held.min_hand_distance == pytest.approx(-min(gelatin.mesh.size) / 2, abs=0.004)
    owner = np.linalg.norm(hand.joints - hand.vertices[0], axis=1).argmin()
    assert held.joint_contact.nonzero()[0].tolist() == [owner]
    assert pose.min_hand_distance > 0.5
    assert not pose.joint_contact.any()


def test_an_unknown_mesh_leaves_size_and_distance_unknown() -> None:
    hand = _hand(np.ones((778, 3)), np.eye(3) * 1e-4)
    held = estimate_object(_raw(np.zeros((9, 6))), None, SEEN, hand)
    assert np.isnan(held.size).all()
    assert np.isnan(held.min_hand_distance)
    assert not held.joint_contact.any()


def test_covariance_adds_the_wrists_and_is_unknown_when_that_is() -> None:
    votes = np.random.default_rng(1).normal(0, [0.01, 0.02, 0.03, 0.1, 0.2, 0.3], (5000, 6))
    covariance = vote_covariance(votes, np.diag([1e-4, 4e-4, 9e-4]), mirrored=False)
    assert covariance is not None
    expected = [2e-4, 8e-4, 18e-4, 0.01, 0.04, 0.09]
    np.testing.assert_allclose(covariance.diagonal(), expected, rtol=0.1)
    assert vote_covariance(votes, np.full((3, 3), np.nan), mirrored=False) is None


def test_the_library_names_what_it_has_and_refuses_an_empty_folder(tmp_path: Path) -> None:
    library = ObjectLibrary(ASSETS)
    assert "006_mustard_bottle" in library.ids
    assert library.get("no_such_thing") is None
    with pytest.raises(MeshError, match="holds no"):
        ObjectLibrary(tmp_path)
