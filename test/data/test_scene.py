"""The demo scene: pure in time, true to the hand model, and drawn as it says."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from hoisdf_ros.conventions import MIDDLE_MCP, WRIST, Side
from hoisdf_ros.data.render import Rendered
from hoisdf_ros.data.scene import ARM, HAND, OBJECT, DemoScene, SceneState
from hoisdf_ros.datatypes import Camera
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.geometry.camera import points_from_depth, project
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, nearest_distances, transform
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import Surface
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in

CAMERA = Camera(307.0, 307.0, 159.5, 119.5, 320, 240)
OBJECTS = (
    "004_sugar_box",
    "005_tomato_soup_can",
    "006_mustard_bottle",
    "007_tuna_fish_can",
    "009_gelatin_box",
)
SEGMENT_S = 5.0


@pytest.fixture(scope="module")
def object_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    for name in OBJECTS:
        (folder / name).symlink_to(PACKAGED_OBJECTS / name)
    return folder


@pytest.fixture(scope="module")
def scene(object_dir: Path) -> Iterator[DemoScene]:
    with closing(DemoScene(CAMERA, seed=3, noise=False, object_dir=object_dir)) as made:
        yield made


def starts(scene: DemoScene) -> list[float]:
    """When the programme's parts begin, found by looking."""
    times = np.arange(0.0, scene.period, 0.05).tolist()
    parts = [scene.at(time).segment for time in times]
    return [times[parts.index(part)] for part in sorted(set(parts))]


def settled(scene: DemoScene) -> list[SceneState]:
    """One moment of each part, hand fully in."""
    return [scene.at(start + SEGMENT_S / 2) for start in starts(scene)]


def drawn(scene: DemoScene, state: SceneState) -> Rendered:
    try:
        return scene.render(state)
    except HoisdfError as error:
        pytest.skip(f"nothing to draw with: {error}")


def same(one: SceneState, other: SceneState) -> bool:
    hands = zip(one.hands, other.hands, strict=True)
    things = zip(one.objects, other.objects, strict=True)
    return all(np.array_equal(a.vertices, b.vertices) for a, b in hands) and all(
        a.object_id == b.object_id and np.array_equal(a.rotation, b.rotation) for a, b in things
    )


def test_the_past_does_not_matter(scene: DemoScene, object_dir: Path) -> None:
    times = np.random.default_rng(0).uniform(0, scene.period, size=12).tolist()
    forward = {time: scene.at(time) for time in times}
    assert all(same(forward[time], scene.at(time)) for time in times[::-1])
    again = DemoScene(CAMERA, seed=3, noise=False, object_dir=object_dir)
    assert all(same(forward[time], again.at(time)) for time in times)


def test_another_seed_is_another_programme(scene: DemoScene, object_dir: Path) -> None:
    other = DemoScene(CAMERA, seed=4, noise=False, object_dir=object_dir)
    one, two = scene.at(2.5), other.at(2.5)
    assert not np.allclose(one.hands[0].joints, two.hands[0].joints, atol=0.005)


def test_it_starts_again_after_its_period(scene: DemoScene) -> None:
    one, two = scene.at(2.5), scene.at(2.5 + scene.period)
    assert np.allclose(one.hands[0].joints, two.hands[0].joints, atol=1e-6)
    with pytest.raises(HoisdfError, match="finite"):
        scene.at(float("nan"))


def test_the_programme_has_everything(scene: DemoScene) -> None:
    states = settled(scene)
    assert sorted(thing.object_id for state in states for thing in state.objects) == list(OBJECTS)
    assert {hand.side for state in states for hand in state.hands} == {Side.LEFT, Side.RIGHT}
    assert any(state.hands and not state.objects for state in states)
    assert not scene.at(0.0).hands  # nothing has come in yet


def test_truth_is_the_hand_models_own(scene: DemoScene) -> None:
    models = {side: HandModel(load_stand_in(side)) for side in (Side.LEFT, Side.RIGHT)}
    for hand in (hand for state in settled(scene) for hand in state.hands):
        vectors = np.concatenate([hand.mano.orient, hand.mano.pose]).reshape(1, 16, 3)
        rotations = torch.from_numpy(matrix_from_rotation_vector(vectors)).float()
        betas = torch.from_numpy(hand.mano.betas[None]).float()
        with torch.no_grad():
            geometry = models[hand.side](rotations, betas)
        vertices = geometry.vertices[0].numpy() + hand.mano.translation
        assert np.allclose(vertices, hand.vertices, atol=1e-5)
        assert np.allclose(
            geometry.joints[0].numpy() + hand.mano.translation, hand.joints, atol=1e-5
        )
        assert np.allclose(hand.mano.translation, hand.joints[WRIST])
        x = hand.joints[MIDDLE_MCP] - hand.joints[WRIST]
        assert hand.wrist_rotation[:, 0] @ x == pytest.approx(np.linalg.norm(x))
        assert np.linalg.det(hand.wrist_rotation) == pytest.approx(1.0)


def test_every_object_is_held_for_the_whole_time(scene: DemoScene) -> None:
    for start, state in zip(starts(scene), settled(scene), strict=True):
        for thing in state.objects:
            surface = Surface(scene.meshes[thing.object_id])
            for since in (1.0, 2.2, 3.7):
                now = scene.at(start + since)
                held = now.objects[0]
                assert held.object_id == thing.object_id
                assert np.linalg.det(held.rotation) == pytest.approx(1.0)
                skin = (now.hands[held.hand].vertices - held.translation) @ held.rotation
                distance = surface.signed_distance(skin)
                assert distance.min() < 0.004
                assert (distance < -0.005).mean() < 0.01


def test_everything_is_in_the_picture_once_it_has_come_in(scene: DemoScene) -> None:
    for start in starts(scene):
        for since in np.linspace(0.9, 4.1, 5):
            state = scene.at(start + since)
            points = [hand.vertices for hand in state.hands]
            for thing in state.objects:
                mesh = scene.meshes[thing.object_id]
                points.append(transform(mesh.vertices, thing.rotation, thing.translation))
            pixels = project(np.concatenate(points), CAMERA)
            assert (pixels > -0.5).all()
            assert (pixels < [319.5, 239.5]).all()


def test_hands_move_smoothly(scene: DemoScene) -> None:
    first = starts(scene)[0]
    joints = [scene.at(first + 1 + k / 30).hands[0].joints for k in range(60)]
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=2)
    assert 1e-5 < steps.max() < 0.02


def test_what_is_drawn_is_where_the_truth_says(scene: DemoScene) -> None:
    for state in settled(scene):
        rendered = drawn(scene, state)
        points = points_from_depth(rendered.depth, CAMERA)
        for hand in state.hands:
            far = nearest_distances(points[rendered.ids == HAND], hand.vertices)
            assert len(far) > 200
            assert np.median(far) < 0.005  # the vertices are 7 mm apart
            assert far.max() < 0.015
        for thing in state.objects:
            surface = Surface(scene.meshes[thing.object_id])
            seen = (points[rendered.ids == OBJECT] - thing.translation) @ thing.rotation
            assert np.abs(surface.signed_distance(seen)).max() < 5e-4
        assert (ARM in rendered.ids) == bool(state.hands)
        assert (OBJECT in rendered.ids) == bool(state.objects)


def test_detections_enclose_what_is_seen(scene: DemoScene) -> None:
    for state in settled(scene):
        rendered = drawn(scene, state)
        found = {one.label: one.box for one in scene.truth_detections(state, rendered)}
        side = "left_hand" if state.hands[0].side is Side.LEFT else "right_hand"
        assert set(found) == {side, *(thing.object_id for thing in state.objects)}
        rows, columns = np.nonzero(rendered.ids == HAND)
        expected = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
        assert found[side].array().tolist() == expected
    nothing = scene.at(0.0)
    assert scene.truth_detections(nothing, drawn(scene, nothing)) == ()


def test_a_hand_that_is_barely_visible_is_not_detected(scene: DemoScene) -> None:
    state = settled(scene)[0]
    rendered = drawn(scene, state)
    few = np.where(np.cumsum(rendered.ids == HAND).reshape(240, 320) <= 100, rendered.ids, 0)
    hidden = Rendered(rendered.image, rendered.depth, few.astype(np.uint8))
    labels = [one.label for one in scene.truth_detections(state, hidden)]
    assert not any(label.endswith("_hand") for label in labels)


def test_noise_is_that_of_the_moment(scene: DemoScene, object_dir: Path) -> None:
    state = scene.at(2.5)
    clean = drawn(scene, state)
    with closing(DemoScene(CAMERA, seed=3, object_dir=object_dir)) as noisy:
        one, two = drawn(noisy, state), drawn(noisy, state)
        other = drawn(noisy, scene.at(2.6))
    assert np.array_equal(one.depth, two.depth, equal_nan=True)
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.ids, clean.ids)
    hand = clean.ids == HAND
    assert 0.0003 < (one.depth - clean.depth)[hand].std() < 0.005
    assert not np.array_equal(one.image, other.image)
