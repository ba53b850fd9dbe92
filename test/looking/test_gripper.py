"""When a hand is asked what it holds, and what is remembered of the answer."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.primitives import box as box_mesh
from hoisdf_ros.looking.gripper import AGAIN_S, FIRST_S, Gripper
from hoisdf_ros.looking.look import Pass
from hoisdf_ros.looking.placer import Placer
from hoisdf_ros.postprocessing.field_surface import Field
from hoisdf_ros.postprocessing.identity import UNKNOWN
from hoisdf_ros.postprocessing.object_pose import PlacedObject
from hoisdf_ros.postprocessing.objects import ObjectLibrary
from hoisdf_ros.tracking.grasp import Grasp, Placed
from test.looking.looks import LOOKER, done_at

WRIST = np.array([0.0, 0.0, 0.6])
SIZE = (0.05, 0.07, 0.12)
LIMITS = (0.1, 4.0)


def _brick(points: Array) -> Array:
    """Signed distance to a brick around the field's origin."""
    beyond = np.abs(points) - np.array(SIZE) / 2
    outside = np.linalg.norm(np.maximum(beyond, 0.0), axis=1)
    distance: Array = outside + np.minimum(beyond.max(axis=1), 0.0)
    return distance


@pytest.fixture
def gripper(tmp_path: Path) -> Gripper:
    """Knows a brick and a plate, and sees a brick in every field; counts how often it asks."""
    for name, size in (("brick", SIZE), ("plate", (0.2, 0.2, 0.01))):
        mesh = box_mesh(size)
        lines = [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
        lines += ["f " + " ".join(str(corner + 1) for corner in face) for face in mesh.faces]
        (tmp_path / name).mkdir()
        (tmp_path / name / "textured.obj").write_text("\n".join(lines))

    class Counting(Gripper):
        asked = 0

        def _field(self, model: object, done: Pass) -> Field:  # noqa: ARG002
            Counting.asked += 1
            return _brick

    return Counting(LOOKER, ObjectLibrary(tmp_path))


def ask(
    gripper: Gripper, stamp: float, before: Grasp | None, *, given: str = "", at_once: bool = False
) -> Grasp:
    """What it says of the hand at a time."""
    return gripper(done_at(WRIST, stamp), before, LIMITS, given=given, at_once=at_once)


def test_a_new_hand_is_asked_a_moment_later(gripper: Gripper) -> None:
    first = ask(gripper, 0.0, None)
    assert (first.times, first.named, gripper.asked) == (0, None, 0)  # type: ignore[attr-defined]
    assert not first.holding.held
    assert first.box is not None  # where the mask shows something
    assert ask(gripper, 0.9 * FIRST_S, first).times == 0
    soon = ask(gripper, 1.1 * FIRST_S, first)
    assert (soon.times, soon.holding.held) == (1, True)
    assert soon.named is not None
    assert soon.named.object_id == "brick"
    assert soon.surface is None


def test_a_given_hand_is_asked_at_once(gripper: Gripper) -> None:
    assert ask(gripper, 0.0, None, at_once=True).times == 1


def test_a_known_hand_is_asked_again_later_only(gripper: Gripper) -> None:
    grasp = replace(ask(gripper, 0.0, None, at_once=True), times=5)
    same = ask(gripper, 0.9 * AGAIN_S, grasp)
    assert (same.times, same.asked, same.votes) == (5, 0.0, grasp.votes)
    again = ask(gripper, 1.1 * AGAIN_S, grasp)
    assert again.times == 6
    assert again.votes.weight > grasp.votes.weight
    assert ask(gripper, -1.0, grasp).times == 6  # a bag that starts again


def test_who_is_named_by_others_gets_no_vote(gripper: Gripper) -> None:
    grasp = ask(gripper, 0.0, None, at_once=True, given="brick")
    assert grasp.holding.held
    assert grasp.votes.odds == ()


def test_an_unknown_thing_is_shown_by_its_field(
    gripper: Gripper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(gripper), "_odds", lambda *_: {"brick": -9.0, UNKNOWN: 0.0})
    grasp = ask(gripper, 0.0, None, at_once=True)
    assert grasp.named is not None
    assert grasp.named.object_id == UNKNOWN
    assert grasp.surface is not None
    np.testing.assert_allclose(np.sort(grasp.surface.size), np.sort(SIZE), atol=0.02)
    np.testing.assert_allclose(grasp.offset, np.zeros(3), atol=1e-12)


def test_what_lets_go_forgets_the_name(gripper: Gripper, monkeypatch: pytest.MonkeyPatch) -> None:
    grasp = ask(gripper, 0.0, None, at_once=True)
    monkeypatch.setattr(type(gripper), "_field", lambda *_: lambda points: np.ones(len(points)))
    for number in range(4):  # one picture errs more often than several
        done = done_at(WRIST, 2.0 * (number + 1), thing=0.0)
        grasp = gripper(done, grasp, LIMITS, given="", at_once=False)
    assert not grasp.holding.held
    assert grasp.votes.odds == ()
    assert grasp.box is None


def test_what_is_named_by_others_or_held_is_placed_on_the_depth(
    gripper: Gripper, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Placed | None]] = []
    there = Placed("brick", cast(PlacedObject, None), WRIST, 0.0)

    def place(_: object, done: Pass, name: str, before: Placed | None, limits: object) -> Placed:
        assert limits == LIMITS
        assert done.look.frame.camera.width == 640
        asked.append((name, before))
        return there

    monkeypatch.setattr(Placer, "__call__", place)
    monkeypatch.setattr(Gripper, "_box", lambda *_: None)
    first = ask(gripper, 0.0, None)
    assert (first.placed, asked) == (None, [])  # nobody knows what it is yet
    second = ask(gripper, 0.2, first)
    assert (second.placed, asked) == (there, [("brick", None)])
    third = ask(gripper, 0.3, second)
    assert (third.placed, asked[1:]) == (there, [("brick", there)])
    assert ask(gripper, 0.0, None, given="plate").placed is there
    assert asked[2:] == [("plate", None)]
