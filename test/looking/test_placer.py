"""A named object on the depth: found, followed, left out where it does not fit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.primitives import box, sphere
from hoisdf_ros.looking.look import Pass
from hoisdf_ros.looking.placer import AGAIN_S, Placer, pose_of, with_placed
from hoisdf_ros.postprocessing.candidates import Candidate, prepare
from hoisdf_ros.postprocessing.object_pose import WAYS, search
from hoisdf_ros.postprocessing.objects import KnownObject
from hoisdf_ros.postprocessing.settling import Poses
from test.looking.looks import LOOKER, done_at, holding

WRIST = np.array([0.0, 0.0, 0.6])
LIMITS = (0.1, 4.0)
BRICK = box((0.12, 0.07, 0.05))
TURN = Rotation.from_rotvec([0.7, -0.5, 0.4]).as_matrix()
PLACE = np.array([0.04, -0.02, 0.62])


@pytest.fixture(scope="module")
def candidates() -> Mapping[str, Candidate]:
    meshes = {"brick": BRICK, "ball": sphere(0.11)}
    return {name: prepare(KnownObject(name, mesh)) for name, mesh in meshes.items()}


@pytest.fixture
def placer(candidates: Mapping[str, Candidate]) -> Placer:
    return Placer(LOOKER, candidates)


def _seen(
    place: Array = PLACE, stamp: float = 0.0, mesh: Mesh = BRICK, *, left: bool = False
) -> Pass:
    done = done_at(WRIST, stamp)
    if left:
        region = replace(done.look.region, side=Side.LEFT)
        held = replace(done.raw[1], mirrored=True)
        done = replace(done, look=replace(done.look, region=region), raw=(done.raw[0], held))
    return holding(done, mesh, TURN, place, LOOKER.crop(done.look))


def _turned(rotation: Array) -> float:
    """Degrees; half turns of a brick are all the same."""
    off = [Rotation.from_matrix(rotation @ way @ TURN.T).magnitude() for way in WAYS]
    return float(np.degrees(min(off)))


@pytest.mark.parametrize("left", [False, True])
def test_a_named_object_lies_where_depth_shows_it(placer: Placer, *, left: bool) -> None:
    done = _seen(left=left)
    found = placer(done, "brick", None, LIMITS)
    assert found is not None
    assert np.linalg.norm(found.pose.translation - PLACE) < 0.006
    assert _turned(found.pose.rotation) < 6
    rotation, translation = pose_of(with_placed(done, found.pose))
    np.testing.assert_allclose(rotation, found.pose.rotation, atol=1e-6)
    np.testing.assert_allclose(translation, found.pose.translation, atol=1e-9)


def test_it_is_followed_and_looked_for_again_later(
    placer: Placer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = placer(_seen(), "brick", None, LIMITS)
    assert first is not None
    searches = []

    def counted(*arguments: Any) -> Poses:  # noqa: ANN401
        searches.append(arguments)
        return search(*arguments)

    monkeypatch.setattr("hoisdf_ros.looking.placer.search", counted)
    moved = PLACE + np.array([0.015, 0.01, -0.02])
    second = placer(_seen(moved, stamp=0.1), "brick", first, LIMITS)
    assert second is not None
    assert np.linalg.norm(second.pose.translation - moved) < 0.006
    assert (len(searches), second.searched) == (0, 0.0)
    third = placer(_seen(moved, stamp=AGAIN_S + 0.1), "brick", second, LIMITS)
    assert third is not None
    assert (len(searches), third.searched) == (1, AGAIN_S + 0.1)
    same = Rotation.from_matrix(third.pose.rotation @ second.pose.rotation.T).magnitude()
    assert same < np.radians(5)  # no other turn that fits as well


def test_a_new_name_is_looked_for_afresh(placer: Placer) -> None:
    first = placer(_seen(), "brick", None, LIMITS)
    assert first is not None
    other = replace(first, object_id="ball", pose=replace(first.pose, rotation=np.eye(3)))
    again = placer(_seen(stamp=0.1), "brick", other, LIMITS)
    assert again is not None
    assert again.searched == 0.1


def test_nothing_is_placed_without_depth_mesh_or_fit(placer: Placer) -> None:
    assert placer(done_at(WRIST), "brick", None, LIMITS) is None
    assert placer(_seen(), "teapot", None, LIMITS) is None
    assert placer(_seen(), "brick", None, (1.0, 4.0)) is None  # all of it too near
    assert placer(_seen(mesh=box((0.2, 0.02, 0.02))), "ball", None, LIMITS) is None
