"""Messages become estimates again, without loss of what they carry."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.conventions import NameSource
from hoisdf_ros.datatypes import Box, Camera, Detection, Estimate, Frame, Mesh, Naming
from hoisdf_ros.ros.dry_run import ConstantEstimator
from hoisdf_ros.ros.estimate_messages import (
    ObjectModel,
    hand_mesh_array,
    hand_pose_array,
    held_object_array,
)
from hoisdf_ros.ros.received import estimate_of
from hoisdf_ros.ros.sensor_messages import header_at, stamp_of

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480, "optical")
HEADER = header_at(1_700_000_000_000_000_001, "optical")
MODELS = {"cube": ObjectModel("", np.zeros(3))}


@pytest.fixture
def estimate() -> Estimate:
    depth = np.ones((480, 640), np.float32)
    boxes = (Detection("left_hand", Box(1, 1, 9, 9)),)
    found = ConstantEstimator()(Frame(np.zeros((480, 640, 3), np.uint8), CAMERA, depth, boxes))
    known = replace(found.hands[0].root, covariance=np.diag([1.0, 2.0, 3.0]) * 1e-6)
    hand = replace(found.hands[0], root=known, roi=Box(300.0, 200.0, 340.0, 260.0))
    held = replace(found.objects[0], covariance=np.eye(6) * 1e-4)
    return Estimate((hand,), (held,))


def back(estimate: Estimate, meshes: bool = True) -> Estimate:
    return estimate_of(
        hand_pose_array(HEADER, estimate.hands, CAMERA),
        held_object_array(HEADER, estimate.objects, MODELS),
        hand_mesh_array(HEADER, estimate.hands).meshes if meshes else (),
    )


def test_a_hand_comes_back(estimate: Estimate) -> None:
    (sent,), (got,) = estimate.hands, back(estimate).hands
    assert (got.id, got.side, got.score, got.roi) == (sent.id, sent.side, sent.score, sent.roi)
    for name in ("joints", "joints_uv", "vertices", "wrist_rotation"):
        assert np.allclose(getattr(got, name), getattr(sent, name), rtol=1e-6), name
    assert np.allclose(got.mano.translation, sent.mano.translation)
    assert np.allclose(got.root.covariance, sent.root.covariance)
    assert got.root.source is sent.root.source


def test_an_object_comes_back(estimate: Estimate) -> None:
    (sent,), (got,) = estimate.objects, back(estimate).objects
    assert (got.id, got.object_id, got.hand_id) == (sent.id, sent.object_id, sent.hand_id)
    for name in ("rotation", "translation", "covariance", "size", "joint_contact"):
        assert np.allclose(getattr(got, name), getattr(sent, name)), name


def test_the_name_of_an_object_comes_back_with_who_says_it(estimate: Estimate) -> None:
    naming = Naming(NameSource.FIELD, 0.75, "mug", 0.25, 0.5)
    named = Estimate(estimate.hands, (replace(estimate.objects[0], naming=naming),))
    (got,) = back(named).objects
    assert got.naming == naming
    assert got.surface is None


def test_the_surface_of_an_unknown_object_comes_back(estimate: Estimate) -> None:
    mesh = Mesh(np.arange(12.0).reshape(4, 3) / 10, np.array([[0, 1, 2], [1, 2, 3]], np.int32))
    naming = Naming(NameSource.UNKNOWN, 0.6)
    unknown = replace(estimate.objects[0], naming=naming, surface=mesh)
    (got,) = back(Estimate(estimate.hands, (unknown,))).objects
    assert got.surface is not None
    np.testing.assert_allclose(got.surface.vertices, mesh.vertices, rtol=1e-6)
    np.testing.assert_array_equal(got.surface.faces, mesh.faces)
    assert np.isnan(got.naming.held_score)


def test_what_was_unknown_is_unknown_again(estimate: Estimate) -> None:
    unknown = replace(estimate.hands[0].root, covariance=np.full((3, 3), np.nan))
    hand = replace(estimate.hands[0], root=unknown, roi=Box(-9.0, -9.0, -1.0, -1.0))
    held = replace(estimate.objects[0], covariance=None)
    got = back(Estimate((hand,), (held,)), meshes=False)
    assert np.isnan(got.hands[0].root.covariance).all()
    assert np.isnan(got.hands[0].vertices).all()
    assert got.hands[0].roi.x1 <= 0
    assert got.objects[0].covariance is None


def test_stamps_are_exact() -> None:
    assert stamp_of(HEADER) == 1_700_000_000_000_000_001
