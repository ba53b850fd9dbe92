"""The wrist found again on rendered depth: from 10 cm off, behind things, on bad masks, or not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hoisdf_ros.config import preset
from hoisdf_ros.conventions import MIRROR, RootSource, Side
from hoisdf_ros.data.render import Background, Item, Rendered, Renderer
from hoisdf_ros.datatypes import Array, Box, Camera, Mesh, Root
from hoisdf_ros.errors import HoisdfError
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.poses import sample_poses
from hoisdf_ros.hand_model.stand_in import load_stand_in, load_stand_in_bend_axes
from hoisdf_ros.postprocessing.clues import Clues
from hoisdf_ros.postprocessing.forearm import wrist_at_forearm
from hoisdf_ros.postprocessing.refinement import (
    MAX_DEVIATIONS,
    TURN_STDDEV,
    Refinement,
    refine_by_depth,
)
from hoisdf_ros.postprocessing.sight import see
from hoisdf_ros.postprocessing.skin import Skin
from hoisdf_ros.preprocessing.crop import Crop, make_crop

CAMERA = Camera(600.0, 600.0, 310.0, 245.0, 640, 480)
WALL = Background(np.zeros((480, 640, 3), np.uint8), np.full((480, 640), 1.3, np.float32))
HAND, PLATE = 1, 2
PLATE_M = (0.3, 0.3, 0.01)
MODEL = HandModel(load_stand_in(Side.RIGHT))
SKIN = Skin(MODEL.faces)
LIMITS = (0.1, 4.0)


@dataclass(frozen=True, eq=False)
class Shown:
    """A hand as it is, and as it was drawn; in axes of the crop, like a `RawHand`.

    Args:
        vertices: (778, 3) around the wrist.
        joints: (21, 3) likewise.
        disturbed: The vertices with turned joints.
        joint_error: Mean distance of the joints of the two, metres.
        wrist: (3,) camera frame of the image.
        depth: Of the image.
        crop: How the network looks at it.
        hand, thing: (S/2, S/2) masks.
    """

    vertices: Array
    joints: Array
    disturbed: Array
    joint_error: float
    wrist: Array
    depth: NDArray[np.float32]
    crop: Crop
    hand: Array
    thing: Array

    def refined(
        self,
        start: Array,
        vertices: Array | None = None,
        slopes: Array | None = None,
        forearm: Array | None = None,
    ) -> Refinement:
        """From a wrist to a better one; the forearm is sought where it is not given."""
        posed = self.vertices if vertices is None else vertices
        sight = see(self.depth, self.crop, self.hand, self.thing, LIMITS)
        flip = MIRROR if self.crop.mirrored else np.eye(3)
        if forearm is None and (arm := wrist_at_forearm(sight)) is not None:
            forearm = arm.position @ flip
        clues = Clues(self.joints, TURN_STDDEV, slopes, forearm)
        return refine_by_depth(sight, SKIN, posed, rough(start), clues)

    def error(self, found: Refinement) -> float:
        """Metres."""
        return float(np.linalg.norm(found.root.position - self.wrist))


def rough(position: Array) -> Root:
    return Root(position, np.eye(3) * 0.03**2, RootSource.DEPTH)


def posed(rotations: Array) -> tuple[Array, Array]:
    with torch.no_grad():
        hand = MODEL(torch.from_numpy(rotations[None]).float(), torch.zeros(1, 10))
    return hand.vertices[0].double().numpy(), hand.joints[0].double().numpy()


def shown(renderer: Renderer, seed: int, *, hidden: bool = False, left: bool = False) -> Shown:
    rng = np.random.default_rng(seed)
    rotations = matrix_from_rotation_vector(sample_poses(AXES, 1, rng)[0])
    rotations[0] = matrix_from_rotation_vector(rng.normal(scale=1.5, size=3))
    turn = rng.normal(scale=np.append(0.08, np.full(15, 0.15))[:, None], size=(16, 3))
    vertices, joints = posed(rotations)
    disturbed, moved = posed(rotations @ matrix_from_rotation_vector(turn))
    flip = MIRROR if left else np.eye(3)
    wrist = rng.uniform([-0.1, -0.08, 0.45], [0.1, 0.08, 0.8])
    skin = vertices @ flip + wrist
    mesh = Mesh(vertices, MODEL.faces.astype(np.int32))
    items = [Item(mesh, HAND, np.eye(3), np.zeros(3), vertices=skin)]
    if hidden:
        items.append(Item(box(PLATE_M), PLATE, np.eye(3), plate_beside(skin, rng)))
    return looked_at(
        renderer.render(items, WALL), left, wrist, (vertices, disturbed, joints, moved)
    )


def plate_beside(skin: Array, rng: np.random.Generator) -> Array:
    """Where a plate must be to hide the half of the hand that lies to one side of its middle."""
    angle = rng.integers(4) * np.pi / 2
    middle = np.median(skin, axis=0)
    place = middle - np.array([0, 0, 0.12])
    place[:2] *= place[2] / middle[2]
    side: Array = place + 0.15 * np.array([np.cos(angle), np.sin(angle), 0.0])
    return side


def looked_at(drawn: Rendered, left: bool, wrist: Array, hand: tuple[Array, ...]) -> Shown:
    vertices, disturbed, joints, moved = hand
    rows, columns = np.nonzero(drawn.ids == HAND)
    around = Box(columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
    crop = make_crop(around, around, CAMERA, preset("demo"), mirror=left)
    masks = [crop.apply((drawn.ids == kind).astype(np.uint8) * 255) / 255 for kind in (HAND, PLATE)]
    error = np.linalg.norm(moved - joints, axis=1)[1:].mean()
    halves = [cv2.blur(mask, (5, 5))[::2, ::2].clip(0, 1) for mask in masks]
    return Shown(
        vertices, joints, disturbed, float(error), wrist, drawn.depth, crop, halves[0], halves[1]
    )


AXES = load_stand_in_bend_axes(Side.RIGHT)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    try:
        made = Renderer(CAMERA)
    except HoisdfError as error:
        pytest.skip(f"nothing to draw with: {error}")
    with closing(made):
        yield made


@pytest.fixture(scope="module")
def views(renderer: Renderer) -> list[Shown]:
    """Ten hands, every third of them a left one."""
    return [shown(renderer, seed, left=seed % 3 == 2) for seed in range(10)]


@pytest.fixture(scope="module")
def hidden(renderer: Renderer) -> list[Shown]:
    """Ten half hidden hands of which enough is left to see."""
    made = [shown(renderer, seed, hidden=True, left=seed % 3 == 2) for seed in range(20, 34)]
    return [view for view in made if (view.hand > 0.5).sum() > 60][:10]


def off(seed: int, most: float = 0.1) -> Array:
    """A step in any direction of up to so many metres."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=3)
    step: Array = direction / np.linalg.norm(direction) * rng.uniform(0, most)
    return step


def errors(views: list[Shown], *, disturbed: bool = False) -> tuple[Array, list[Refinement]]:
    """Of those that were refined, and all."""
    found = [
        view.refined(view.wrist + off(seed), view.disturbed if disturbed else None)
        for seed, view in enumerate(views)
    ]
    known = zip(views, found, strict=True)
    return np.array([view.error(one) for view, one in known if not one.note]), found


def test_the_wrist_is_found_from_ten_centimetres_away(views: list[Shown]) -> None:
    wrong, _ = errors(views)
    assert len(wrong) == len(views)
    assert np.median(wrong) < 0.002
    assert np.percentile(wrong, 90) < 0.005


def test_a_pose_that_is_not_quite_right_costs_little(views: list[Shown]) -> None:
    assert 0.010 < np.mean([view.joint_error for view in views]) < 0.022
    wrong, _ = errors(views, disturbed=True)
    assert len(wrong) >= 8
    assert np.median(wrong) < 0.012


def test_a_hand_that_is_turned_wrongly_is_turned_back(views: list[Shown]) -> None:
    wrong, left = [], []
    for seed, view in enumerate(views):
        rng = np.random.default_rng(seed)
        axis = rng.normal(size=3)
        turn = matrix_from_rotation_vector(np.radians(25) * axis / np.linalg.norm(axis))
        found = view.refined(view.wrist + off(seed, 0.02), view.vertices @ turn.T)
        wrong.append(view.error(found))
        left.append(np.linalg.norm(rotation_vector_from_matrix(found.turn @ turn)))
    assert np.median(wrong) < 0.004
    assert np.median(left) < np.radians(5)
    assert np.percentile(left, 80) < np.radians(12)


def test_landmarks_turn_back_what_depth_alone_does_not(views: list[Shown]) -> None:
    left: dict[bool, list[float]] = {True: [], False: []}
    for seed, view in enumerate(views):
        axis = np.random.default_rng(seed).normal(size=3)
        turn = matrix_from_rotation_vector(np.radians(60) * axis / np.linalg.norm(axis))
        flip = MIRROR if view.crop.mirrored else np.eye(3)
        seen = view.joints + view.wrist @ flip
        slopes = seen[:, :2] / seen[:, 2:]
        wrong = replace(view, joints=view.joints @ turn.T)
        for known in (True, False):
            found = wrong.refined(view.wrist, view.vertices @ turn.T, slopes if known else None)
            left[known].append(
                float(np.linalg.norm(rotation_vector_from_matrix(found.turn @ turn)))
            )
    assert np.median(left[True]) < 0.7 * np.median(left[False])


def test_what_hides_half_of_the_hand_does_not_pull_at_it(hidden: list[Shown]) -> None:
    wrong, _ = errors(hidden)
    assert len(wrong) >= 5
    assert np.median(wrong) < 0.005
    wrong, _ = errors(hidden, disturbed=True)
    assert np.median(wrong) < 0.015
    unnamed = [replace(view, thing=view.thing * 0) for view in hidden]
    assert np.median(errors(unnamed)[0]) < 0.005


def test_a_mask_that_is_too_large_and_ragged_still_does(views: list[Shown]) -> None:
    rng = np.random.default_rng(0)
    ragged = []
    for view in views:
        noise = cv2.resize(rng.random((12, 12)), view.hand.shape, interpolation=cv2.INTER_CUBIC)
        wide = cv2.dilate(view.hand, np.ones((3, 3)))
        ragged.append(replace(view, hand=np.clip(wide + noise - 0.5, 0, 1)))
    wrong, _ = errors(ragged)
    assert len(wrong) >= 8
    assert np.median(wrong) < 0.005


def test_holes_and_noise_of_a_depth_camera_do_not_matter(views: list[Shown]) -> None:
    rng = np.random.default_rng(0)
    dirty = []
    for view in views:
        depth = view.depth + rng.normal(scale=0.003, size=view.depth.shape).astype(np.float32)
        depth[rng.random(depth.shape) < 0.4] = np.nan
        dirty.append(replace(view, depth=depth))
    assert np.median(errors(dirty)[0]) < 0.005


def test_a_finer_mask_says_the_same(views: list[Shown]) -> None:
    """That of the published presets is twice as fine."""
    view = views[0]
    crop = replace(
        view.crop,
        affine=2 * view.crop.affine,
        intrinsics=np.diag([2.0, 2.0, 1.0]) @ view.crop.intrinsics,
    )
    masks = [np.repeat(np.repeat(m, 2, axis=0), 2, axis=1) for m in (view.hand, view.thing)]
    fine = replace(view, crop=crop, hand=masks[0], thing=masks[1])
    coarse, same = view.refined(view.wrist), fine.refined(view.wrist)
    np.testing.assert_allclose(same.root.position, coarse.root.position, atol=1e-9)


def test_the_covariance_is_a_proper_one_and_grows_with_a_wrong_pose(views: list[Shown]) -> None:
    _, right = errors(views)
    wrong, found = errors(views, disturbed=True)
    for one in right:
        assert one.root.source is RootSource.DEPTH
        np.testing.assert_allclose(one.root.covariance, one.root.covariance.T)
        assert np.linalg.eigvalsh(one.root.covariance).min() > 1e-6
    spread = [np.sqrt(np.trace(one.root.covariance)) for one in found]
    assert np.median(spread) > np.median([np.sqrt(np.trace(o.root.covariance)) for o in right])
    assert 0.3 < np.median(spread) / np.median(wrong) < 8  # a network's poses are worse than these


def test_a_mirrored_scene_gives_the_mirrored_wrist(renderer: Renderer) -> None:
    view = shown(renderer, 4)
    depth, crop = view.depth[:, ::-1].copy(), replace(view.crop, mirrored=True)
    other = replace(view, depth=depth, crop=crop)
    start = view.wrist + off(4)
    one, mirrored = view.refined(start), other.refined(start * [-1, 1, 1])
    np.testing.assert_allclose(mirrored.root.position, one.root.position * [-1, 1, 1], atol=1e-9)
    expected = MIRROR @ one.root.covariance @ MIRROR
    np.testing.assert_allclose(mirrored.root.covariance, expected, atol=1e-12)
    np.testing.assert_allclose(mirrored.turn, one.turn, atol=1e-9)  # both in the crop's axes


def kept(found: Refinement, start: Array, part: str) -> None:
    assert part in found.note
    np.testing.assert_array_equal(found.root.position, start)
    np.testing.assert_array_equal(found.root.covariance, rough(start).covariance)
    np.testing.assert_array_equal(found.turn, np.eye(3))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 9.0])
def test_without_depth_on_the_hand_the_wrist_is_kept(views: list[Shown], value: float) -> None:
    view = replace(views[0], depth=np.full((480, 640), value, np.float32))
    kept(view.refined(view.wrist), view.wrist, "0 map pixels of hand with depth, expected 30")


def test_without_a_mask_the_wrist_is_kept(views: list[Shown]) -> None:
    view = replace(views[0], hand=views[0].hand * 0)
    kept(view.refined(view.wrist), view.wrist, "0 map pixels of hand")
    behind = replace(views[0], thing=np.ones_like(views[0].thing))
    kept(behind.refined(view.wrist), view.wrist, "0 map pixels of hand")


def test_the_wall_behind_is_not_taken_for_the_hand(views: list[Shown]) -> None:
    assert WALL.depth is not None
    for view in views:
        wall = replace(view, depth=WALL.depth)
        kept(wall.refined(view.wrist), view.wrist, "wrist not refined")


def test_a_hand_too_far_from_where_it_was_is_another(views: list[Shown]) -> None:
    view = views[0]
    start = view.wrist + np.array([0, 0, 0.03 * 2 * MAX_DEVIATIONS])
    kept(view.refined(start), start, "move by 0.24 m, 8.0 standard deviations, expected 4 or less")


def test_nonsense_of_the_network_is_not_followed(views: list[Shown]) -> None:
    view = views[0]
    for vertices in (view.vertices * np.nan, view.vertices * 0):
        kept(view.refined(view.wrist, vertices), view.wrist, "without a surface")
    kept(view.refined(view.wrist, view.vertices * 10), view.wrist, "farther off than it is deep")


@pytest.mark.parametrize(("apart", "doubted"), [(0.02, False), (0.09, True), (0.3, False)])
def test_a_forearm_that_ends_elsewhere_nearby_makes_a_wrist_doubtful(
    views: list[Shown], apart: float, *, doubted: bool
) -> None:
    """As a fit to fingers that slid along themselves; farther off it is somebody else's."""
    view = views[0]
    away = view.wrist + np.array([0.0, 0.0, apart])
    flip = MIRROR if view.crop.mirrored else np.eye(3)
    found = view.refined(view.wrist, forearm=away @ flip)
    assert ("from the end of the forearm, expected 0.04 or less" in found.note) == doubted
    assert view.error(found) < 0.03
