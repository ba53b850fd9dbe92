"""Differences between two answers, in millimetres and degrees."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.bench.agreement import Answer, agreement
from hoisdf_ros.postprocessing.hand import RawHand
from hoisdf_ros.postprocessing.objects import RawObject


def answer() -> Answer:
    hand = RawHand(
        vertices=np.zeros((778, 3)),
        joints=np.zeros((21, 3)),
        rotations=np.tile(np.eye(3), (16, 1, 1)),
        betas=np.zeros(10),
        votes=np.zeros((5, 20, 3)),
        vote_weights=np.full((5, 20), 0.2),
    )
    held = RawObject(np.array([0.3, 0.0, 0.0]), np.zeros(3), np.zeros((5, 6)), np.zeros(3), False)
    return hand, held


def test_equal_answers_do_not_differ() -> None:
    found = agreement([answer()], [answer()])
    assert (found.joint_mm, found.object_mm, found.object_deg) == (0.0, 0.0, 0.0)


def test_the_worst_joint_and_the_object_s_pose_count() -> None:
    hand, held = answer()
    joints = hand.joints.copy()
    joints[7] = [0.003, 0.004, 0.0]
    turned = replace(held, rotation=np.array([0.3 + np.radians(2.0), 0.0, 0.0]))
    moved = replace(turned, translation=np.array([0.0, 0.0, 0.001]))
    found = agreement([(replace(hand, joints=joints), moved)], [(hand, held)])
    assert found.joint_mm == pytest.approx(5.0)
    assert found.object_mm == pytest.approx(1.0)
    assert found.object_deg == pytest.approx(2.0, abs=1e-6)
