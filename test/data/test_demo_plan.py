"""The demo's programme: order, pauses, and fingers that breathe."""

import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.demo_plan import Plan, Planner
from hoisdf_ros.data.grasp import GraspSynthesiser
from hoisdf_ros.datatypes import Camera
from hoisdf_ros.geometry.primitives import tapered_cylinder
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes

CAMERA = Camera(154.0, 154.0, 79.5, 59.5, 160, 120)
OBJECTS = {f"rod_{k}": tapered_cylinder(0.02 + 0.004 * k, 0.03, 0.12) for k in range(5)}


@pytest.fixture(scope="module")
def plan() -> Plan:
    model = HandModel(load_stand_in(Side.RIGHT))
    hand = GraspSynthesiser(model, load_stand_in_bend_axes(Side.RIGHT))
    return Planner(CAMERA, hand, OBJECTS, seed=0).plan()


def test_every_object_once_and_an_empty_hand(plan: Plan) -> None:
    names = [segment.held.object_id for segment in plan.segments if segment.held is not None]
    assert sorted(names) == sorted(OBJECTS)
    assert len(plan.segments) == len(OBJECTS) + 1


def test_segments_follow_each_other_with_pauses(plan: Plan) -> None:
    starts = [segment.start for segment in plan.segments] + [plan.period]
    pauses = np.diff(starts) - [segment.motion.duration for segment in plan.segments]
    assert starts[0] == 0.0
    assert pauses.min() > 0.1
    assert pauses.max() > 1.0  # long enough for a track to be lost


def test_hands_differ(plan: Plan) -> None:
    assert {segment.side for segment in plan.segments} == {Side.LEFT, Side.RIGHT}
    skins = np.array([segment.skin for segment in plan.segments])
    betas = np.array([segment.betas for segment in plan.segments])
    assert np.ptp(skins.mean(axis=1)) > 0.1
    assert (np.ptp(betas[:, :4], axis=0) > 0.3).all()
    assert ((skins >= 0) & (skins <= 1)).all()


def test_fingers_breathe_a_little_around_an_object_and_fully_without(plan: Plan) -> None:
    for segment in plan.segments:
        poses = np.array([segment.pose(time) for time in np.linspace(0, 5, 60)])
        assert np.allclose(poses[0], segment.closed)
        whole = np.abs(segment.open - segment.closed).max()
        swing = np.abs(poses - segment.closed).max()
        assert swing == pytest.approx(whole * (1.0 if segment.held is None else 0.06), rel=0.02)
        assert np.allclose(poses[:, 0], 0.0)  # the wrist's turn comes from the motion
