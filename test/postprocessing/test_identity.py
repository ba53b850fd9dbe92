"""Known meshes told apart by a true field, mask, depth and colours."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hoisdf_ros.conventions import MIRROR
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, sample_surface
from hoisdf_ros.geometry.primitives import box, sphere
from hoisdf_ros.postprocessing.candidates import Candidate, prepare
from hoisdf_ros.postprocessing.field_samples import FieldSamples, sample_field
from hoisdf_ros.postprocessing.identity import CUES, UNKNOWN, Pose, fit_all
from hoisdf_ros.postprocessing.naming import log_odds, name_it
from hoisdf_ros.postprocessing.object_view import (
    Masks,
    ObjectView,
    colour_misfit,
    histogram,
    outline_misfit,
    view_object,
)
from hoisdf_ros.postprocessing.objects import KnownObject, ObjectLibrary
from hoisdf_ros.postprocessing.sight import Sight

TURN = Rotation.from_rotvec([0.9, -0.4, 0.3]).as_matrix()
CENTER = np.array([0.02, -0.03, 0.6])
ASIDE, CORNER = np.array([0.01, 0.0, 0.01]), np.array([0.05, -0.02, 0.07])
K = np.array([[260.0, 0, 55], [0, 260, 75], [0, 0, 1]])  # of a crop of 128 pixels
SHAPES = {
    "brick": box((0.12, 0.08, 0.05)),
    "plank": box((0.16, 0.05, 0.03)),
    "ball": sphere(0.04),
    "block": box((0.07, 0.07, 0.07)),
}


def _known(name: str) -> KnownObject:
    mesh = SHAPES[name]
    # as scanned meshes, whose frames start at a corner of theirs
    return KnownObject(name, Mesh(mesh.vertices + CORNER, mesh.faces))


@pytest.fixture(scope="module")
def candidates() -> Mapping[str, Candidate]:
    return {name: prepare(_known(name)) for name in SHAPES}


def _pose(one: Candidate) -> Pose:
    return Pose(TURN, CENTER + ASIDE - TURN @ one.middle, CENTER)


def _field(one: Candidate, pose: Pose) -> FieldSamples:
    def distance(points: Array) -> Array:
        inside = (points + CENTER - pose.translation) @ pose.rotation - one.middle
        return np.clip(one.shape.distance(inside), -0.03, 0.03)

    found = sample_field(distance, 0.2)
    assert found is not None
    return found


def _mask(one: Candidate, pose: Pose, *, mirrored: bool) -> Array:
    points, _ = sample_surface(_known(one.object_id).mesh, 20_000, np.random.default_rng(3))
    seen = points @ pose.rotation.T + pose.translation
    homogeneous = (seen @ MIRROR if mirrored else seen) @ K.T
    x, y = np.rint(homogeneous[:, :2] / homogeneous[:, 2:] / 2).astype(int).T
    mask = np.zeros((64, 64))
    mask[y, x] = 1.0
    return mask


def _view(one: Candidate, pose: Pose, *, mirrored: bool = False) -> ObjectView:
    masks = Masks(np.zeros((64, 64)), _mask(one, pose, mirrored=mirrored))
    picture = np.full((128, 128, 3), 90, np.uint8)
    return view_object(masks, picture, K, None, mirrored=mirrored)


@pytest.mark.parametrize("name", list(SHAPES))
def test_each_shape_is_named_for_itself(name: str, candidates: Mapping[str, Candidate]) -> None:
    one = candidates[name]
    pose = _pose(one)
    fits = fit_all(candidates, _field(one, pose), _view(one, pose), pose)
    assert name_it(log_odds(fits)).object_id == name
    fit = fits[name]
    assert (fit.cues[: CUES.index("measured")] < 0.003).all()
    assert fit.cues[CUES.index("outline")] < 0.2
    assert np.isnan(fit.cues[CUES.index("measured")])
    middle = fit.rotation @ one.middle + fit.translation
    assert np.linalg.norm(middle - CENTER - ASIDE) < 0.004


def test_a_pose_that_is_said_wrongly_is_mended(candidates: Mapping[str, Candidate]) -> None:
    one = candidates["brick"]
    true = _pose(one)
    turned = Rotation.from_rotvec([0, 0, np.pi / 2]).as_matrix() @ true.rotation
    said = Pose(turned, true.translation + np.array([0.02, 0.01, -0.02]), CENTER)
    fits = fit_all(candidates, _field(one, true), _view(one, true), said)
    assert (fits["brick"].cues[:2] < 0.003).all()
    assert fits["brick"].cues[CUES.index("said")] > 0.01
    totals = {name: fit.cues[:2].sum() for name, fit in fits.items()}
    assert min(totals, key=lambda name: totals[name]) == "brick"


def test_a_thing_the_library_lacks_is_unknown(candidates: Mapping[str, Candidate]) -> None:
    one = candidates["plank"]
    others = {name: candidates[name] for name in ("ball", "block")}
    pose = _pose(one)
    named = name_it(log_odds(fit_all(others, _field(one, pose), _view(one, pose), pose)))
    assert named.object_id == UNKNOWN


def test_measured_points_are_compared_in_the_cameras_frame(
    candidates: Mapping[str, Candidate],
) -> None:
    one = candidates["brick"]
    pose = _pose(one)
    surface = one.points @ pose.rotation.T + pose.rotation @ one.middle + pose.translation
    view = _view(one, pose)
    view = ObjectView(view.seen, view.unsaid, view.intrinsics, view.flip, surface[:60], None)
    fits = fit_all(candidates, _field(one, pose), view, pose)
    measured = {name: fit.cues[CUES.index("measured")] for name, fit in fits.items()}
    assert measured["brick"] < 0.002
    assert min(measured, key=lambda name: measured[name]) == "brick"


@pytest.mark.parametrize("mirrored", [False, True])
def test_outline_is_that_of_the_image_not_of_the_mirrored_crop(
    candidates: Mapping[str, Candidate], *, mirrored: bool
) -> None:
    one = candidates["plank"]
    pose = _pose(one)
    view = _view(one, pose, mirrored=mirrored)
    placed = one.points @ pose.rotation.T + pose.rotation @ one.middle + pose.translation
    assert outline_misfit(view, placed) < 0.15
    assert outline_misfit(view, placed + np.array([0.03, 0.0, 0.0])) > 0.3
    assert outline_misfit(view, placed + np.array([0.5, 0.0, 0.0])) == 1.0


def test_where_the_hand_is_the_outline_says_nothing(candidates: Mapping[str, Candidate]) -> None:
    one = candidates["block"]
    pose = _pose(one)
    mask = _mask(one, pose, mirrored=False)
    hand = np.zeros_like(mask)
    hand[:, 32:] = 1.0
    thing = np.where(hand > 0, 0.0, mask)
    picture = np.zeros((128, 128, 3), np.uint8)
    view = view_object(Masks(hand, thing), picture, K, None, mirrored=False)
    alone = view_object(Masks(0 * hand, thing), picture, K, None, mirrored=False)
    placed = one.points @ pose.rotation.T + pose.rotation @ one.middle + pose.translation
    assert outline_misfit(view, placed) < 0.2
    assert outline_misfit(alone, placed) > 0.3


def test_depth_is_taken_from_the_object_and_flipped_back() -> None:
    points = np.full((64, 64, 3), np.nan)
    points[20:40, 20:40] = [0.1, 0.0, 0.5]
    points[30, 30] = [0.1, 0.0, 2.0]  # the wall, through a hole of the mask
    mask = np.zeros((64, 64))
    mask[20:40, 20:40] = 1.0
    flags = np.zeros((64, 64), dtype=bool)
    sight = Sight(points, flags, flags, K, mirrored=True)
    picture = np.zeros((128, 128, 3), np.uint8)
    view = view_object(Masks(0 * mask, mask), picture, K, sight, mirrored=True)
    assert len(view.measured) == 120
    assert np.unique(view.measured, axis=0).tolist() == [[-0.1, 0.0, 0.5]]


def test_colours_tell_alike_shapes_apart() -> None:
    library = ObjectLibrary(PACKAGED_OBJECTS)
    known = library.get("006_mustard_bottle")
    assert known is not None
    one = prepare(known)
    assert one.colours is not None
    yellow, blue = np.array([[0.9, 0.75, 0.1]]), np.array([[0.1, 0.2, 0.8]])
    place = np.array([0.0, 0.0, 0.5])

    def misfit(colours: Array) -> float:
        flags = np.ones((64, 64), dtype=bool)
        view = ObjectView(flags, flags, K, np.eye(3), np.zeros((0, 3)), histogram(colours))
        return colour_misfit(view, one, np.eye(3), place)

    facing = one.colours[one.normals[:, 2] < 0]
    assert misfit(facing) < 0.15
    assert misfit(yellow) < misfit(blue) - 0.2
    assert np.isnan(
        colour_misfit(
            _view(prepare(_known("ball")), _pose(prepare(_known("ball")))),
            prepare(_known("ball")),
            np.eye(3),
            place,
        )
    )


def test_a_histogram_adds_up_and_dims_with_the_light() -> None:
    colours = np.random.default_rng(0).uniform(0.2, 1.0, (500, 3))
    full, dim = histogram(colours), histogram(0.8 * colours)
    assert full.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(full[:12], dim[:12], atol=0.02)  # hues stay
