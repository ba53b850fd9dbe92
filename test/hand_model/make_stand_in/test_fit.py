"""The fitted parts: vertex order, joint regressor, shape components, bend axes."""

import numpy as np

from hoisdf_ros.conventions import Side
from hoisdf_ros.hand_model.assets import TIP_VERTICES
from hoisdf_ros.hand_model.make_stand_in import fit


def test_tip_numbers_become_finger_tips() -> None:
    rng = np.random.default_rng(0)
    vertices = rng.normal(size=(778, 3))
    tips = {"thumb": 3, "index": 90, "middle": 317, "ring": 0, "pinky": 777}
    order = fit.vertex_order(vertices, tips)
    assert np.array_equal(np.sort(order), np.arange(778))
    assert order[list(TIP_VERTICES[Side.RIGHT])].tolist() == [3, 90, 317, 0, 777]
    near = np.linalg.norm(vertices - vertices[3], axis=1).argsort()[1]
    assert order[744] == near  # the tip's other number is its neighbour


def test_joints_are_found_as_sums_of_vertices() -> None:
    rng = np.random.default_rng(1)
    vertices = rng.normal(size=(40, 120, 3))
    true = np.zeros((16, 120))
    for row in true:
        row[rng.choice(120, 3, replace=False)] = rng.dirichlet(np.ones(3))
    joints = true @ vertices
    vertices[0] = 0.0  # all vertices are near in the first hand, so all may be candidates
    joints[0] = 0.0
    found = fit.joint_regressor(vertices, joints)
    assert np.allclose(found.sum(axis=1), 1)
    assert found.min() >= 0
    near = np.arange(120) < fit.CANDIDATES
    reachable = (true[:, ~near] == 0).all(axis=1)
    assert reachable.any()
    assert np.allclose(found[reachable], true[reachable], atol=1e-6)


def test_shape_components_rebuild_the_hands() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(size=(50, 3))
    basis = np.concatenate([base[None], rng.normal(size=(3, 50, 3))])
    amounts = rng.normal(size=(200, 4)) * [0.2, 0.05, 0.02, 0.01]
    hands = base + np.einsum("nk,kvc->nvc", amounts, basis)
    mean, offsets = fit.shape_components(hands)
    assert np.allclose(mean, hands.mean(axis=0))
    flat = offsets.reshape(150, 10)
    betas = np.linalg.lstsq(flat[:, :4], (hands - mean).reshape(200, 150).T, rcond=None)[0]
    assert np.allclose(flat[:, :4] @ betas, (hands - mean).reshape(200, 150).T, atol=1e-9)
    assert np.allclose(betas.std(axis=1, ddof=1), 1)  # one unit is one standard deviation
    larger = mean + offsets[:, :, 0]
    assert np.linalg.norm(larger) > np.linalg.norm(mean)


def test_pose_components_are_orthonormal() -> None:
    poses = np.random.default_rng(3).normal(size=(100, 16, 3))
    mean, rows = fit.pose_components(poses)
    assert np.allclose(mean, poses[:, 1:].reshape(100, 45).mean(axis=0))
    assert np.allclose(rows @ rows.T, np.eye(45))


def test_a_finger_along_minus_x_bends_about_z() -> None:
    joints = np.zeros((16, 3))
    for base in (1, 4, 7, 10):
        joints[base : base + 3, 0] = [-0.1, -0.13, -0.15]
    joints[13:, 0], joints[13:, 1] = [-0.02, -0.05, -0.07], [0, 0, -0.01]
    axes = fit.bend_axes(joints, np.array([-0.09, -0.04, 0.0]))
    assert np.allclose(axes[1:], [0, 0, 1])
    assert np.array_equal(axes[0], np.zeros(3))
