"""Moments: hands of both sides from all sides, near and far, in the picture, mirrored rightly."""

import numpy as np
import pytest
import torch

from hoisdf_ros.conventions import WRIST, Side
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_scene import Kind, Moment, SceneMaker, draw_kind, random_rotation
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import Surface
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in


@pytest.fixture(scope="module")
def maker(synthetic: SyntheticData) -> SceneMaker:
    return SceneMaker(synthetic.bank, synthetic.meshes)


def draws(maker: SceneMaker, kind: Kind, count: int) -> list[Moment]:
    """So many moments that came out well."""
    tried = (maker.draw(kind, np.random.default_rng(seed)) for seed in range(20 * count))
    well = (moment for moment in tried if moment is not None)
    return [next(well) for _ in range(count)]


@pytest.fixture(scope="module")
def moments(maker: SceneMaker) -> list[Moment]:
    return draws(maker, Kind.HELD, 60)


def forearm(moment: Moment) -> float:
    """z of the direction in which the forearm goes."""
    along = matrix_from_rotation_vector(moment.mano.orient)[2, 0]
    return float(-along if moment.side is Side.LEFT else along)


def test_distances_and_views_are_spread(moments: list[Moment]) -> None:
    depth = np.array([moment.joints[WRIST, 2] for moment in moments])
    assert 0.2 < depth.min() < 0.5
    assert 0.8 < depth.max() < 1.1
    thumbs = np.array([matrix_from_rotation_vector(m.mano.orient)[:, 2] for m in moments])
    assert (thumbs.min(axis=0) < -0.7).all()
    assert (thumbs.max(axis=0) > 0.7).all()
    assert min(map(forearm, moments)) > -0.6
    assert 0.1 < np.mean([moment.side is Side.LEFT for moment in moments]) < 0.4
    assert len({moment.camera.fx for moment in moments}) == len(moments)


def test_the_hand_is_mostly_in_the_picture(moments: list[Moment]) -> None:
    shares = []
    for moment in moments:
        pixels = project(moment.joints, moment.camera)
        shares.append(((pixels >= 0) & (pixels < [640, 480])).all(axis=1).mean())
    assert min(shares) >= 0.5
    assert 0.5 < np.mean(np.array(shares) == 1.0) < 1.0


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_parameters_give_the_hand_back(moments: list[Moment], side: Side) -> None:
    model = HandModel(load_stand_in(side))
    for moment in [moment for moment in moments if moment.side is side][:3]:
        pose = np.concatenate([moment.mano.orient, moment.mano.pose]).reshape(1, 16, 3)
        with torch.no_grad():
            hand = model(
                torch.from_numpy(matrix_from_rotation_vector(pose)).float(),
                torch.from_numpy(moment.mano.betas[None]).float(),
            )
        joints = hand.joints[0].numpy() + moment.mano.translation
        np.testing.assert_allclose(moment.joints, joints, atol=1e-5)
        vertices = hand.vertices[0].numpy() + moment.mano.translation
        np.testing.assert_allclose(moment.vertices, vertices, atol=1e-5)


def gap(moment: Moment, synthetic: SyntheticData) -> float:
    """Smallest signed distance between skin and object, metres."""
    assert moment.thing is not None
    surface = Surface(synthetic.meshes[moment.thing.object_id])
    back = moment.thing.rotation.T
    own = transform(moment.vertices - moment.thing.translation, back, np.zeros(3))
    return float(np.sort(surface.signed_distance(own))[8])


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
def test_held_objects_touch_either_hand(
    moments: list[Moment], synthetic: SyntheticData, side: Side
) -> None:
    gaps = [gap(moment, synthetic) for moment in moments[:24] if moment.side is side]
    assert np.mean(np.abs(gaps) < 0.008) > 0.7
    assert min(gaps) > -0.015


def test_things_nearby_do_not_touch(maker: SceneMaker, synthetic: SyntheticData) -> None:
    gaps = [gap(moment, synthetic) for moment in draws(maker, Kind.NEAR, 8)]
    assert min(gaps) > 0.005
    assert max(gaps) < 0.2


def test_empty_hands_are_empty(maker: SceneMaker) -> None:
    assert all(moment.thing is None for moment in draws(maker, Kind.EMPTY, 4))


def test_most_hands_hold_something() -> None:
    rng = np.random.default_rng(0)
    kinds = [draw_kind(rng) for _ in range(400)]
    assert 0.65 < kinds.count(Kind.HELD) / 400 < 0.8
    assert set(kinds) == set(Kind)


def test_rotations_are_rotations_without_a_preference() -> None:
    rng = np.random.default_rng(0)
    turns = np.stack([random_rotation(rng) for _ in range(2000)])
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (2000, 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(turns), 1.0)
    assert np.abs(turns.mean(axis=0)).max() < 0.06
