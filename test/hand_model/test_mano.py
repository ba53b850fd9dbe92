"""The posed hand against plain linear blend skinning, and what must hold for any hand."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import FINGER_BASES, MIRROR, Side
from hoisdf_ros.hand_model.assets import PARENTS, Array, HandArrays, hand_arrays_from_mapping
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in


@pytest.fixture
def hand(stored: dict[str, Any]) -> HandArrays:
    return hand_arrays_from_mapping(stored, Side.RIGHT, "random")


def random_pose(batch: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    rotations: Array = Rotation.random(16 * batch, random_state=seed).as_matrix()
    return rotations.reshape(batch, 16, 3, 3), rng.normal(size=(batch, 10))


def pose(model: HandModel, rotations: Array, betas: Array) -> HandGeometry:
    with torch.no_grad():
        geometry: HandGeometry = model(
            torch.tensor(rotations, dtype=torch.float32), torch.tensor(betas, dtype=torch.float32)
        )
    return geometry


def lbs_reference(hand: HandArrays, rotations: Array, betas: Array) -> tuple[Array, Array]:
    """Vertices (778, 3) and joints (16, 3) as the MANO paper writes them, one hand at a time."""
    shaped = hand.v_template + hand.shapedirs @ betas
    rest = hand.joint_regressor @ shaped
    bent = shaped + hand.posedirs @ (rotations[1:] - np.eye(3)).ravel()
    turned, moved = [rotations[0]], [rest[0]]
    for joint in range(1, 16):
        parent = PARENTS[joint]
        moved.append(moved[parent] + turned[parent] @ (rest[joint] - rest[parent]))
        turned.append(turned[parent] @ rotations[joint])
    vertices = np.zeros((778, 3))
    for joint in range(16):
        vertices += hand.weights[:, joint, None] * (
            (bent - rest[joint]) @ turned[joint].T + moved[joint]
        )
    return vertices, np.array(moved)


def test_agrees_with_plain_linear_blend_skinning(hand: HandArrays) -> None:
    rotations, betas = random_pose(3)
    found = pose(HandModel(hand), rotations, betas)
    for i in range(3):
        vertices, joints = lbs_reference(hand, rotations[i], betas[i])
        assert np.allclose(found.vertices[i], vertices - joints[0], atol=1e-6)
        assert np.allclose(found.joints[i, FINGER_BASES], (joints - joints[0])[[13, 1, 4, 10, 7]],
                           atol=1e-6)  # thumb, index, middle, ring, little  # fmt: skip


def test_joints_are_in_the_21_joint_order_around_the_wrist(hand: HandArrays) -> None:
    found = pose(HandModel(hand), *random_pose(2))
    assert found.joints.shape == (2, 21, 3)
    assert np.array_equal(found.joints[:, 0], np.zeros((2, 3)))
    assert torch.equal(found.joints[:, [4, 8, 12, 16, 20]], found.vertices[:, list(hand.tips)])


def test_each_finger_goes_from_base_to_tip() -> None:
    flat = pose(HandModel(load_stand_in(Side.RIGHT)), np.eye(3)[None].repeat(16, 0)[None],
                np.zeros((1, 10)))  # fmt: skip
    reach = flat.joints[0].norm(dim=-1)
    for base in FINGER_BASES:
        assert (reach[base : base + 4].diff() > 0.01).all()


def test_mean_pose_is_not_added(hand: HandArrays) -> None:
    assert np.abs(hand.hands_mean).max() > 1
    eye = np.eye(3)[None].repeat(16, 0)[None]
    found = pose(HandModel(hand), eye, np.zeros((1, 10)))
    wrist = (hand.joint_regressor @ hand.v_template)[0]
    assert np.allclose(found.vertices[0], hand.v_template - wrist, atol=1e-6)


def test_wrist_rotation_turns_the_whole_hand(hand: HandArrays) -> None:
    rotations, betas = random_pose(1)
    model = HandModel(hand)
    before = pose(model, rotations, betas)
    turn = Rotation.random(random_state=5).as_matrix()
    rotations[:, 0] = turn @ rotations[:, 0]
    after = pose(model, rotations, betas)
    assert np.allclose(after.vertices, before.vertices.numpy() @ turn.T, atol=1e-6)


def test_mirrored_pose_of_the_mirrored_hand_is_the_mirrored_surface(hand: HandArrays) -> None:
    rotations, betas = random_pose(2)
    right = HandModel(hand)
    left = right.mirrored()
    expected = pose(right, rotations, betas)
    found = pose(left, MIRROR @ rotations @ MIRROR, betas)
    assert left.side is Side.LEFT
    assert np.allclose(found.vertices, expected.vertices.numpy() @ MIRROR, atol=1e-6)
    assert np.allclose(found.joints, expected.joints.numpy() @ MIRROR, atol=1e-6)


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_faces_look_outwards_on_both_sides(side: Side) -> None:
    hand = load_stand_in(side)
    a, b, c = hand.v_template[HandModel(hand).faces.T]
    volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6
    assert 1e-4 < volume < 1e-3  # cubic metres; negative when faces look inwards


def test_gradients_reach_rotations_and_shape(hand: HandArrays) -> None:
    model = HandModel(hand).double()
    rotations, betas = (torch.tensor(x, requires_grad=True) for x in random_pose(1))
    model(rotations, betas).joints.square().sum().backward()
    for tensor in (rotations, betas):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().max() > 1e-6
    step = torch.zeros_like(betas)
    step[0, 0] = 1e-5
    with torch.no_grad():
        up, down = (model(rotations, betas + s * step).joints.square().sum() for s in (1, -1))
    assert torch.isclose((up - down) / 2e-5, betas.grad[0, 0], rtol=1e-5)  # type: ignore[index]


def test_nothing_is_printed_and_nothing_is_learnt(
    hand: HandArrays, capsys: pytest.CaptureFixture[str]
) -> None:
    model = HandModel(hand)
    assert capsys.readouterr().out == ""
    assert not list(model.parameters())
