"""The mean hand of a training split."""

from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data import synthetic_grasps
from hoisdf_ros.data.by_name import Choice, DataName
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.evaluation import mean_pose
from hoisdf_ros.evaluation.hand import root_relative
from hoisdf_ros.evaluation.mean_pose import SYNTHETIC_SEED, mean_hand, on_side


def test_left_hands_are_mirrored() -> None:
    hand = np.random.default_rng(0).normal(size=(21, 3))
    np.testing.assert_array_equal(on_side(hand, Side.RIGHT), hand)
    np.testing.assert_array_equal(on_side(on_side(hand, Side.LEFT), Side.LEFT), hand)
    assert (on_side(hand, Side.LEFT)[:, 0] == -hand[:, 0]).all()


def test_all_synthetic_test_sets_have_one_mean_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(mean_pose, "HANDS", 20)
    monkeypatch.setattr(synthetic_grasps, "CHUNK", 2)
    one, other = (
        mean_hand(DataName("synthetic", split), Choice(seed=seed, grasps=2))
        for split, seed in (("test", 3), ("val", 9))
    )
    np.testing.assert_array_equal(one, other)
    hands = []
    data = SyntheticData("train", 20, SYNTHETIC_SEED, grasps=2)
    for index in range(20):
        side, joints = data.hand(index)
        hands.append(root_relative(joints) @ (MIRROR if side is Side.LEFT else np.eye(3)))
    np.testing.assert_allclose(one, np.mean(hands, axis=0), atol=1e-12)
    assert one[0] == pytest.approx(np.zeros(3))
