"""The end of the forearm: found where hand and arm are one surface, and nowhere else."""

from dataclasses import replace

import numpy as np

from hoisdf_ros.conventions import RootSource
from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.forearm import wrist_at_forearm
from hoisdf_ros.postprocessing.sight import Sight

FOCAL = 150.0  # of the map, pixels
K = np.array([[FOCAL, 0, 30.0], [0, FOCAL, 32.0], [0, 0, 1]])
HAND, ARM = np.s_[15:40, 20:42], np.s_[40:60, 25:38]


def sight(*, arm: float = 0.6, background: float = 1.2) -> Sight:
    """A flat hand 0.6 m away, fingers up, and the forearm below it."""
    z = np.full((64, 64), background)
    z[HAND], z[ARM] = 0.6, arm
    hand = np.zeros((64, 64), dtype=np.bool_)
    hand[HAND] = True
    return Sight(points(z), hand, np.zeros_like(hand), K, mirrored=False)


def points(z: Array) -> Array:
    v, u = np.mgrid[:64, :64]
    return np.stack([(u - K[0, 2]) * z / FOCAL, (v - K[1, 2]) * z / FOCAL, z], axis=-1)


def test_it_lies_behind_the_border_of_hand_and_forearm() -> None:
    root = wrist_at_forearm(sight())
    assert root is not None
    skin = np.array([(31.0 - 30) / FOCAL, (39.5 - 32) / FOCAL, 1.0]) * 0.6
    expected = skin * (1 + 0.02 / np.linalg.norm(skin))
    np.testing.assert_allclose(root.position, expected, atol=1e-9)
    assert root.source is RootSource.DEPTH
    assert (np.linalg.eigvalsh(root.covariance) > 0).all()


def test_a_mirrored_crop_gives_the_mirrored_wrist() -> None:
    seen = sight()
    one, other = wrist_at_forearm(seen), wrist_at_forearm(replace(seen, mirrored=True))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(other.position, one.position * [-1, 1, 1])


def test_an_edge_of_depth_is_no_forearm() -> None:
    assert wrist_at_forearm(sight(arm=1.2)) is None
    assert wrist_at_forearm(sight(arm=0.55)) is None  # something before the hand


def test_what_is_held_is_no_forearm() -> None:
    seen = sight()
    held = np.zeros_like(seen.hand)
    held[ARM] = True
    assert wrist_at_forearm(replace(seen, unsaid=held)) is None


def test_unknown_depth_is_no_forearm() -> None:
    seen = sight(arm=np.nan)
    assert wrist_at_forearm(replace(seen, unsaid=np.isnan(seen.points[..., 2]))) is None


def test_a_touch_elsewhere_does_not_move_it() -> None:
    z = sight().points[..., 2].copy()
    z[10:15, 22:26] = 0.6  # a fingertip on something
    one, other = wrist_at_forearm(sight()), wrist_at_forearm(replace(sight(), points=points(z)))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(other.position, one.position, atol=0.002)
