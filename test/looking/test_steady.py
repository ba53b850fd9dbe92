"""A look steadied by those before it: what rests keeps still, what moves is followed."""

from dataclasses import replace
from typing import Any, cast

import numpy as np

from hoisdf_ros.conventions import RootSource, Side
from hoisdf_ros.datatypes import Array, Root
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.looking.look import Pass
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.looking.steady import steadied
from hoisdf_ros.postprocessing.smoothing import Smoother
from test.looking.looks import done_at


class _Poser:
    """Poses a hand of one point, turned as the wrist is."""

    def posed(self, rotations: Array, betas: Array) -> tuple[Array, Array]:
        point: Array = rotations[0] @ np.array([0.0, 0.0, 1.0])
        return point[None] + betas[0], point[None]


LOOKER = cast(Looker, _Poser())


def _moved(done: Pass, stamp: float, wrist: Array, turn: Array) -> Pass:
    frame = replace(done.look.frame, stamp=stamp)
    root = Root(wrist, 1e-4 * np.eye(3), RootSource.DEPTH)
    rotations = np.broadcast_to(matrix_from_rotation_vector(turn), (16, 3, 3))
    hand, held = done.raw
    look = replace(done.look, frame=frame, root=root)
    return replace(done, look=look, raw=(replace(hand, rotations=rotations), held))


def test_the_first_look_comes_out_as_it_is() -> None:
    done = done_at(np.array([0.0, 0.1, 0.6]))
    out = steadied(LOOKER, done, Smoother())
    np.testing.assert_allclose(out.look.root.position, done.look.root.position)
    np.testing.assert_allclose(out.raw[0].rotations, done.raw[0].rotations)
    np.testing.assert_allclose(out.raw[1].center, done.raw[1].center)


def test_trembling_at_rest_is_damped_and_the_hand_stays_one() -> None:
    rng, smoother, at = np.random.default_rng(0), Smoother(), np.array([0.0, 0.1, 0.6])
    done, rough, smooth, points = done_at(at), [], [], []
    for number in range(60):
        wrist, turn = at + 0.003 * rng.normal(size=3), 0.03 * rng.normal(size=3)
        out = steadied(LOOKER, _moved(done, number / 30, wrist, turn), smoother)
        rough.append(wrist)
        smooth.append(out.look.root.position)
        points.append(out.raw[0].vertices[0] - out.raw[0].joints[0])
    assert np.std(smooth[20:], axis=0).max() < 0.7 * np.std(rough[20:], axis=0).min()
    np.testing.assert_allclose(points, np.zeros((60, 3)), atol=1e-12)  # posed anew, not filtered


def test_what_moves_fast_is_followed_and_takes_its_object_along() -> None:
    smoother, done = Smoother(), done_at(np.array([0.0, 0.0, 0.6]))
    out: Any = None
    for number in range(30):
        wrist = np.array([0.03 * number, 0.0, 0.6])  # 0.9 m/s
        seen = _moved(done, number / 30, wrist, np.zeros(3))
        seen = replace(seen, raw=(seen.raw[0], replace(seen.raw[1], center=wrist + 0.02)))
        out = steadied(LOOKER, seen, smoother)
    assert abs(out.look.root.position[0] - 0.87) < 0.02
    place = out.raw[1].center + out.raw[1].translation - out.look.root.position
    np.testing.assert_allclose(place, np.full(3, 0.02), atol=1e-3)
    assert out.look.region.side is Side.RIGHT
