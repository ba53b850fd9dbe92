"""Fields of a network: their unit, origin and frame."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from hoisdf_ros.bench.latency import synthetic_input
from hoisdf_ros.config import PRESETS
from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.mesh import face_normals
from hoisdf_ros.network.io import ImageFeatures, NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.fields import Which, predicted_field, predicted_surface

SCALE = PRESETS["demo"].sdf_scale


@pytest.fixture(scope="module")
def network() -> Hoisdf:
    torch.manual_seed(0)
    return Hoisdf(replace(PRESETS["demo"], lattice_size=8, hand_points=32, object_points=32)).eval()


@pytest.fixture(scope="module")
def inputs() -> NetworkInput:
    given = synthetic_input(PRESETS["demo"].image_size)
    return given._replace(object_center=given.hand_root + torch.tensor([[0.05, 0.0, 0.02]]))


@pytest.fixture(scope="module")
def features(network: Hoisdf, inputs: NetworkInput) -> ImageFeatures:
    with torch.no_grad():
        return network.image_features(inputs.image)


def some_points(count: int) -> Array:
    return np.random.default_rng(0).uniform(-0.1, 0.1, (count, 3))


@pytest.mark.parametrize("which", ["hand", "object"])
def test_distances_are_metres_at_points_in_metres(
    network: Hoisdf, features: ImageFeatures, inputs: NetworkInput, which: Which
) -> None:
    points = some_points(40_000)  # more than are asked at once
    found = predicted_field(network, features, inputs, which)(points)
    some = [0, 1, 32767, 32768, 39_999]
    normalised = torch.from_numpy(points[some]).float()[None] * SCALE
    with torch.no_grad():
        both = network.distances(normalised, features, inputs)
    expected = both[which == "object"][0, :, 0].double().numpy() / SCALE
    np.testing.assert_allclose(found[some], expected, atol=1e-6)


def test_the_origin_is_the_root_of_each(
    network: Hoisdf, features: ImageFeatures, inputs: NetworkInput
) -> None:
    moved = inputs._replace(object_center=inputs.object_center + 0.01)
    points = some_points(10)
    for which, same in (("hand", True), ("object", False)):
        one = predicted_field(network, features, inputs, which)(points)  # type: ignore[arg-type]
        other = predicted_field(network, features, moved, which)(points)  # type: ignore[arg-type]
        assert np.allclose(one, other, atol=1e-7) == same


def test_nothing_is_known_behind_the_camera(
    network: Hoisdf, features: ImageFeatures, inputs: NetworkInput
) -> None:
    depth = float(inputs.hand_root[0, 2])
    points = np.array([[0.0, 0.0, -depth - 0.1], [0.0, 0.0, -depth + 0.1]])
    found = predicted_field(network, features, inputs, "hand")(points)
    assert np.isnan(found).tolist() == [True, False]
    assert len(predicted_field(network, features, inputs, "hand")(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize("mirror", [False, True])
def test_a_ball_in_the_fields_units_is_a_ball_in_metres(
    network: Hoisdf,
    features: ImageFeatures,
    inputs: NetworkInput,
    monkeypatch: pytest.MonkeyPatch,
    mirror: bool,
) -> None:
    def ball(points: Tensor, *_: object) -> Tensor:
        middle = torch.tensor([0.05, 0.02, -0.01]) * SCALE
        away: Tensor = torch.linalg.vector_norm(points - middle, dim=-1, keepdim=True)
        return (away - 0.06 * SCALE).clamp(-0.15, 0.15)

    monkeypatch.setattr(network, "object_distance", ball)
    mesh = predicted_surface(network, features, inputs, "object", mirror=mirror, cells=64)
    assert mesh is not None
    middle = np.array([-0.05 if mirror else 0.05, 0.02, -0.01])
    outward = mesh.vertices - middle
    assert np.abs(np.linalg.norm(outward, axis=1) - 0.06).max() < 0.001
    normals = face_normals(mesh.vertices, mesh.faces)
    assert (np.einsum("fc,fc->f", normals, outward[mesh.faces[:, 0]]) > 0).all()


def test_a_field_without_surface_has_no_mesh(
    network: Hoisdf,
    features: ImageFeatures,
    inputs: NetworkInput,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(network, "hand_distance", lambda points, *_: points[..., :1] * 0 + 0.15)
    assert predicted_surface(network, features, inputs, "hand", mirror=False, cells=32) is None
