"""Grasps: fingers touch, little penetrates, mirror images, chance by the generator alone."""

import numpy as np
import pytest
import torch

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.grasp import Grasp, GraspSynthesiser
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import HoisdfError, MeshError
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, load_mesh, mirrored, transform
from hoisdf_ros.geometry.primitives import box, tapered_cylinder
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid, Surface
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes

BETAS = np.zeros(10)
FINGERTIPS = [317, 444, 673, 556]  # index, middle, little, ring


@pytest.fixture(scope="module")
def hand() -> GraspSynthesiser:
    model = HandModel(load_stand_in(Side.RIGHT))
    return GraspSynthesiser(model, load_stand_in_bend_axes(Side.RIGHT))


def grasp_of(hand: GraspSynthesiser, mesh: Mesh, seed: int = 0) -> Grasp:
    grid = SignedDistanceGrid.of(mesh, spacing=0.005, margin=0.012)
    return hand.synthesise(mesh, grid, BETAS, np.random.default_rng(seed), tries=3)


def clearance(hand: GraspSynthesiser, grasp: Grasp, mesh: Mesh, opening: float) -> Array:
    """(778,) exact signed distance of the skin to the object, metres."""
    skin = hand.vertices(grasp.pose(opening)[None], grasp.betas)[0]
    return Surface(mesh).signed_distance((skin - grasp.object_translation) @ grasp.object_rotation)


MESHES = {
    "rod": tapered_cylinder(0.03, 0.03, 0.2),
    "block": box((0.06, 0.09, 0.17)),
    "card": box((0.02, 0.1, 0.1)),
    "bottle": load_mesh(PACKAGED_OBJECTS / "006_mustard_bottle" / "textured.obj"),
}


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_hand_touches_and_hardly_penetrates(
    hand: GraspSynthesiser, name: str, seed: int
) -> None:
    grasp = grasp_of(hand, MESHES[name], seed)
    distance = clearance(hand, grasp, MESHES[name], 0.0)
    assert grasp.touching.sum() >= 3
    assert (distance < 0.004).sum() >= 8
    assert (distance < -0.005).mean() <= 0.01
    assert grasp.deep_share == pytest.approx((distance < -0.005).mean(), abs=0.01)


def test_thumb_and_fingers_are_on_opposite_sides(hand: GraspSynthesiser) -> None:
    grasp = grasp_of(hand, MESHES["rod"])
    skin = hand.vertices(grasp.closed[None], BETAS)[0]
    middle = transform(np.array([0.1, 0.0, 0.0]), grasp.object_rotation, grasp.object_translation)
    axis = grasp.object_rotation[:, 0]
    spokes = skin - middle
    spokes -= np.outer(spokes @ axis, axis)
    thumb, fingers = spokes[745], spokes[FINGERTIPS[:2]].mean(axis=0)
    assert thumb @ fingers < 0


def test_opening_takes_the_fingers_off(hand: GraspSynthesiser) -> None:
    mesh = MESHES["rod"]
    grasp = grasp_of(hand, mesh)
    gaps = [clearance(hand, grasp, mesh, share)[FINGERTIPS].mean() for share in (0.0, 0.5, 1.0)]
    assert gaps[0] + 0.01 < gaps[1]
    assert gaps[1] + 0.01 < gaps[2]
    assert np.array_equal(grasp.pose(0.0), grasp.closed)
    assert np.allclose(grasp.pose(1.0), hand.open_pose())
    with pytest.raises(HoisdfError, match=r"opening 1\.1"):
        grasp.pose(1.1)


def test_chance_comes_from_the_generator_alone(hand: GraspSynthesiser) -> None:
    first, again, other = (grasp_of(hand, MESHES["block"], seed) for seed in (3, 3, 4))
    assert np.array_equal(first.closed, again.closed)
    assert np.array_equal(first.object_translation, again.object_translation)
    assert not np.allclose(first.object_rotation, other.object_rotation)


def test_a_left_hand_holds_the_object_itself(hand: GraspSynthesiser) -> None:
    mesh = MESHES["bottle"]
    right = grasp_of(hand, mirrored(mesh))
    left = right.mirrored()
    assert np.linalg.det(left.object_rotation) == pytest.approx(1.0)
    model = HandModel(load_stand_in(Side.LEFT))
    rotations = torch.from_numpy(matrix_from_rotation_vector(left.closed[None])).float()
    with torch.no_grad():
        skin = model(rotations, torch.zeros(1, 10)).vertices[0].double().numpy()
    mirror_image = hand.vertices(right.closed[None], BETAS)[0] @ MIRROR
    assert np.allclose(skin, mirror_image, atol=1e-5)
    points = (skin - left.object_translation) @ left.object_rotation
    distance = Surface(mesh).signed_distance(points)
    assert np.allclose(distance, clearance(hand, right, mirrored(mesh), 0.0), atol=2e-4)


def test_curling_brings_the_tips_to_the_palm(hand: GraspSynthesiser) -> None:
    reach = [
        np.linalg.norm(hand.vertices(hand.curled_pose(np.full(5, share))[None], BETAS)[0], axis=1)
        for share in (0.0, 0.5, 1.0)
    ]
    tips = np.array(reach)[:, FINGERTIPS]
    assert (np.diff(tips, axis=0) < -0.01).all()


def test_what_no_hand_can_hold_is_refused(hand: GraspSynthesiser) -> None:
    with pytest.raises(MeshError, match="no hand can grip it"):
        grasp_of(hand, box((0.3, 0.3, 0.3)))


def test_a_left_model_is_refused() -> None:
    with pytest.raises(HoisdfError, match="RIGHT hand, not LEFT"):
        GraspSynthesiser(HandModel(load_stand_in(Side.LEFT)), load_stand_in_bend_axes(Side.LEFT))
