"""Surfaces of fields against true meshes: frames, failures, what is counted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from hoisdf_ros.bench.latency import synthetic_input
from hoisdf_ros.config import PRESETS
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.evaluation.field_meshes import (
    FieldMeshes,
    FieldScores,
    predicted_meshes,
    true_hand,
    true_object,
)
from hoisdf_ros.evaluation.objects import Pose
from hoisdf_ros.geometry.closing import open_loops
from hoisdf_ros.geometry.primitives import box, sphere
from hoisdf_ros.hand_model.stand_in import load_stand_in
from hoisdf_ros.network.io import ImageFeatures, NetworkInput
from hoisdf_ros.network.model import Hoisdf

BALL = sphere(0.05, rounds=5)
BRICK = box((0.06, 0.08, 0.1))


def shifted(mesh: Mesh, x: float) -> Mesh:
    return replace(mesh, vertices=mesh.vertices + np.array([x, 0.0, 0.0]))


def batch_of(*inputs: NetworkInput) -> NetworkInput:
    return NetworkInput(*(torch.cat(parts) for parts in zip(*inputs, strict=True)))


def test_each_crop_of_a_batch_has_its_own_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(PRESETS["demo"], lattice_size=8, hand_points=32, object_points=32)
    network = Hoisdf(config).eval()
    one = synthetic_input(config.image_size)
    batch = batch_of(one, one._replace(hand_root=one.hand_root + 0.1))
    with torch.no_grad():
        features = network.image_features(batch.image)

    def ball(points: Tensor, seen: ImageFeatures, inputs: NetworkInput) -> Tensor:
        """As large as the root is deep, and off to the right."""
        assert len(points) == len(inputs.image) == len(seen.heatmap) == len(seen.pyramid[0]) == 1
        middle = torch.tensor([0.05, 0.0, 0.0]) * config.sdf_scale
        away: Tensor = torch.linalg.vector_norm(points - middle, dim=-1, keepdim=True)
        return away - 0.1 * inputs.hand_root[0, 2] * config.sdf_scale

    monkeypatch.setattr(network, "hand_distance", ball)
    monkeypatch.setattr(network, "object_distance", lambda points, *_: points[..., :1] * 0 + 0.1)
    for index, mirror in ((0, False), (1, True)):
        found = predicted_meshes(network, features, batch, index, mirror=mirror)
        assert found.object is None
        assert found.hand is not None
        radius = 0.1 * float(batch.hand_root[index, 2])
        np.testing.assert_allclose(found.hand.size, 2 * radius, atol=1e-3)
        middle = found.hand.vertices.mean(axis=0)
        np.testing.assert_allclose(middle, [-0.05 if mirror else 0.05, 0, 0], atol=1e-3)


def test_true_hands_are_closed_and_start_at_the_wrist() -> None:
    hand = load_stand_in(Side.RIGHT)
    root = np.array([0.1, 0.2, 0.6])
    vertices = np.asarray(hand.v_template, dtype=np.float64) + root
    mesh = true_hand(vertices, hand.faces, root)
    np.testing.assert_allclose(mesh.vertices, vertices - root)
    assert open_loops(np.asarray(hand.faces, dtype=np.int32))
    assert not open_loops(mesh.faces)


def test_true_objects_start_at_the_centre() -> None:
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    center = np.array([0.1, 0.0, 0.6])
    mesh = true_object(BRICK, Pose(turn, center + np.array([0.0, 0.01, 0.0])), center)
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), [0.0, 0.01, 0.0], atol=1e-12)
    np.testing.assert_allclose(mesh.size, [0.08, 0.06, 0.1])


def test_equal_surfaces_and_failures_are_told_apart() -> None:
    scores = FieldScores()
    scores.add(FieldMeshes(BALL, BRICK), FieldMeshes(BALL, BRICK))
    scores.add(FieldMeshes(BALL, None), FieldMeshes(BALL, BRICK))
    scores.add(FieldMeshes(None, BRICK), FieldMeshes(BALL, None))
    found = scores.summary()
    assert found is not None
    assert found.hand is not None
    assert found.object is not None
    assert (found.hand.samples, found.hand.failed) == (3, 1)
    assert (found.object.samples, found.object.failed) == (2, 1)
    assert found.hand.chamfer_mean_cm2 < 0.01
    assert found.object.f_scores == pytest.approx((0.5, 0.5), abs=1e-3)
    assert found.object.f_scores_of_meshes == pytest.approx((1.0, 1.0), abs=1e-3)


def test_a_shift_is_measured_in_square_centimetres_at_the_right_thresholds() -> None:
    # two square sheets of 1 m^2, 7 mm apart: nearly every point is 7 mm from the other sheet
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * 0.2
    sheet = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32))
    moved = replace(sheet, vertices=corners + np.array([0, 0, 0.007]))
    scores = FieldScores()
    scores.add(FieldMeshes(moved, moved), FieldMeshes(sheet, sheet))
    found = scores.summary()
    assert found is not None
    assert found.hand is not None
    assert found.object is not None
    assert found.hand.f_scores == (0.0, 0.0)
    assert found.object.f_scores == pytest.approx((0.0, 1.0), abs=1e-3)
    assert found.hand.chamfer_mean_cm2 == pytest.approx(2 * 0.7**2, rel=0.02)


def test_results_do_not_depend_on_what_came_before_but_the_number() -> None:
    results = []
    for first in (BALL, shifted(BALL, 0.02)):
        scores = FieldScores(seed=3)
        scores.add(FieldMeshes(first, None), FieldMeshes(BALL, None))
        scores.add(FieldMeshes(shifted(BALL, 0.004), None), FieldMeshes(BALL, None))
        results.append(scores._hands[1])
    assert results[0] == results[1]


def test_nothing_measured_is_no_result() -> None:
    scores = FieldScores()
    assert scores.summary() is None
    scores.add(FieldMeshes(BALL, BRICK), FieldMeshes(None, None))
    assert scores.summary() is None
