"""The renderer against rays and projections worked out by hand."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.data.render import Background, Item, Light, Rendered, Renderer
from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.errors import HoisdfError, ImageError
from hoisdf_ros.geometry.camera import backproject, project
from hoisdf_ros.geometry.mesh import transform
from hoisdf_ros.geometry.primitives import box, sphere
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector

CAMERA = Camera(fx=310.0, fy=300.0, cx=161.3, cy=118.7, width=320, height=240)
PICTURE = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
BACKGROUND = Background(PICTURE)
ROTATION = matrix_from_rotation_vector([0.5, -0.4, 0.3])
PLACE = np.array([0.03, -0.02, 0.6])
SIZE = (0.12, 0.2, 0.08)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    try:
        made = Renderer(CAMERA)
    except HoisdfError as error:
        pytest.skip(f"nothing to draw with: {error}")
    with closing(made):
        yield made


def rays() -> Array:
    columns, rows = np.meshgrid(np.arange(320), np.arange(240))
    return backproject(np.stack([columns, rows], axis=-1), 1.0, CAMERA)


def box_depth() -> Array:
    """(H, W) z at which each pixel's ray enters the box of SIZE at its pose, NaN if it does not."""
    origin, direction = -PLACE @ ROTATION, rays() @ ROTATION  # in the frame of the box
    half = np.array(SIZE) / 2
    first, second = (-half - origin) / direction, (half - origin) / direction
    enter = np.minimum(first, second).max(axis=-1)
    leave = np.maximum(first, second).min(axis=-1)
    return np.where(enter < leave, enter, np.nan)


def drawn_box(renderer: Renderer) -> Rendered:
    return renderer.render([Item(box(SIZE), 7, ROTATION, PLACE)], BACKGROUND)


def rim(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of which a direct neighbour is on the other side of the mask's edge."""
    padded = np.pad(mask, 1, mode="edge")
    edge = np.zeros(mask.shape, dtype=np.bool_)
    for other in (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]):
        edge |= mask != other
    return edge


def test_depth_of_a_turned_box_is_that_of_the_ray(renderer: Renderer) -> None:
    expected, rendered = box_depth(), drawn_box(renderer)
    assert rendered.depth.dtype == np.float32
    both = np.isfinite(expected) & np.isfinite(rendered.depth) & ~rim(np.isfinite(expected))
    assert both.sum() > 4000
    assert np.abs(rendered.depth - expected)[both].max() < 2e-4


def test_the_mask_is_where_rays_hit(renderer: Renderer) -> None:
    expected, rendered = np.isfinite(box_depth()), drawn_box(renderer)
    wrong = (rendered.ids == 7) != expected
    assert not (wrong & ~rim(expected)).any()
    assert wrong.sum() < 0.2 * rim(expected).sum()
    assert set(np.unique(rendered.ids)) == {0, 7}
    assert np.array_equal(np.isfinite(rendered.depth), rendered.ids == 7)


def test_the_outline_reaches_the_projected_corners(renderer: Renderer) -> None:
    corners = project(transform(box(SIZE).vertices, ROTATION, PLACE), CAMERA)
    rows, columns = np.nonzero(drawn_box(renderer).ids)
    low, high = corners.min(axis=0), corners.max(axis=0)
    short = np.array([columns.min(), rows.min()]) - low, high - [columns.max(), rows.max()]
    assert np.min(short) > -0.01  # nothing is drawn beyond
    assert np.max(short) < 1.5  # a sharp corner may pass between the pixels' centres


def test_a_small_ball_is_drawn_where_its_centre_projects(renderer: Renderer) -> None:
    for place in ([-0.2, -0.15, 0.6], [0.25, 0.17, 0.7], [0.0, 0.0, 0.5]):
        item = Item(sphere(0.01), 3, np.eye(3), np.array(place))
        rows, columns = np.nonzero(renderer.render([item], BACKGROUND).ids)
        assert np.abs(np.array([columns.mean(), rows.mean()]) - project(place, CAMERA)).max() < 0.3


def test_the_background_stays_as_given(renderer: Renderer) -> None:
    rendered = drawn_box(renderer)
    beside = rendered.ids == 0
    assert np.array_equal(rendered.image[beside], PICTURE[beside])
    assert (rendered.image[~beside] != PICTURE[~beside]).any()
    other = renderer.render([], Background(255 - PICTURE))
    assert np.array_equal(other.image, 255 - PICTURE)
    assert np.isnan(other.depth).all()


def test_depth_of_the_background_shows_beside_the_items(renderer: Renderer) -> None:
    wall = np.full((240, 320), 0.3, dtype=np.float32)
    wall[:100] = np.nan
    rendered = renderer.render([Item(box(SIZE), 7, ROTATION, PLACE)], Background(PICTURE, wall))
    beside = rendered.ids == 0
    assert np.array_equal(rendered.depth[beside], wall[beside], equal_nan=True)
    assert np.array_equal(rendered.depth[~beside], drawn_box(renderer).depth[~beside])


def test_the_nearer_item_hides_the_other_in_any_order(renderer: Renderer) -> None:
    near = Item(sphere(0.03), 1, np.eye(3), np.array([0.0, 0.0, 0.4]))
    far = Item(sphere(0.08), 2, np.eye(3), np.array([0.0, 0.0, 0.7]))
    one = renderer.render([near, far], BACKGROUND)
    two = renderer.render([far, near], BACKGROUND)
    assert np.array_equal(one.ids, two.ids)
    assert one.ids[119, 161] == 1
    assert set(np.unique(one.ids)) == {0, 1, 2}


def test_a_texture_is_right_side_up(renderer: Renderer) -> None:
    picture = np.zeros((8, 8, 3), dtype=np.uint8)
    picture[:4, :4], picture[:4, 4:] = (255, 0, 0), (0, 255, 0)
    picture[4:, :4], picture[4:, 4:] = (0, 0, 255), (255, 255, 255)
    corners = np.array([[-0.1, 0.1, 0], [0.1, 0.1, 0], [0.1, -0.1, 0], [-0.1, -0.1, 0]])
    uv = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    mesh = Mesh(corners, np.array([[0, 2, 1], [0, 3, 2]], dtype=np.int32), uv, picture)
    item = Item(mesh, 1, np.eye(3), np.array([0.0, 0.0, 0.6]), shine=0.0)
    image = renderer.render([item], BACKGROUND, Light(towards=(0, 0, -1))).image.astype(int)
    assert np.abs(image[90, 130] - [255, 0, 0]).max() < 5  # top left, as in the picture's file
    assert np.abs(image[90, 190] - [0, 255, 0]).max() < 5
    assert np.abs(image[150, 130] - [0, 0, 255]).max() < 5
    assert np.abs(image[150, 190] - [255, 255, 255]).max() < 5


def test_light_falls_on_the_side_it_comes_from(renderer: Renderer) -> None:
    item = Item(sphere(0.1), 1, np.eye(3), np.array([0.0, 0.0, 0.6]))
    lit = renderer.render([item], BACKGROUND, Light(towards=(0, -1, -0.3))).image.astype(int)
    assert lit[80, 161].mean() > lit[158, 161].mean() + 40


def test_a_bent_shape_follows_its_vertices(renderer: Renderer) -> None:
    item = Item(box(SIZE), 7, ROTATION, PLACE)
    plain = renderer.render([item], BACKGROUND)
    wide = replace(item, vertices=item.mesh.vertices * 1.3)
    wider = renderer.render([wide], BACKGROUND)
    again = renderer.render([item], BACKGROUND)
    assert (wider.ids > 0).sum() > 1.3 * (plain.ids > 0).sum()
    assert np.array_equal(again.ids, plain.ids)


def test_a_background_of_another_size_is_refused(renderer: Renderer) -> None:
    with pytest.raises(ImageError, match=r"\(10, 10, 3\), expected uint8 \(240, 320, 3\)"):
        renderer.render([], Background(np.zeros((10, 10, 3), dtype=np.uint8)))
    with pytest.raises(ImageError, match=r"depth is float32 \(10, 10\), expected"):
        renderer.render([], Background(PICTURE, np.zeros((10, 10), dtype=np.float32)))


def test_without_opengl_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("libEGL.so.1 not loaded")

    monkeypatch.setattr("moderngl.create_context", broken)
    with pytest.raises(HoisdfError, match=r"libEGL.*libegl1 libgl1-mesa-dri"):
        Renderer(CAMERA)


def test_a_forked_process_is_told_to_start_afresh(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert renderer.camera == CAMERA
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(HoisdfError, match="multiprocessing_context='spawn'"):
        Renderer(CAMERA)


def test_two_renderers_do_not_disturb_each_other(renderer: Renderer) -> None:
    before = drawn_box(renderer)
    with closing(Renderer(replace(CAMERA, width=100, height=80))) as other:
        assert other.render([], Background(PICTURE[:80, :100])).ids.shape == (80, 100)
        assert np.array_equal(drawn_box(renderer).ids, before.ids)
    assert np.array_equal(drawn_box(renderer).ids, before.ids)


def test_another_camera_of_the_same_size_takes_over(renderer: Renderer) -> None:
    other = replace(CAMERA, fx=400.0, cx=140.0)
    try:
        renderer.use(other)
        ids = renderer.render([Item(sphere(0.008), 1, np.eye(3), PLACE)], BACKGROUND).ids
    finally:
        renderer.use(CAMERA)
    rows, columns = np.nonzero(ids)
    np.testing.assert_allclose([columns.mean(), rows.mean()], project(PLACE, other), atol=0.3)
    with pytest.raises(ImageError, match="make another renderer"):
        renderer.use(replace(CAMERA, width=100))


def test_a_tint_takes_its_colours_out_of_a_texture(renderer: Renderer) -> None:
    card = replace(
        box((0.1, 0.1, 0.01)), uv=np.full((8, 2), 0.5), texture=np.full((4, 4, 3), 200, np.uint8)
    )
    place = np.array([0.0, 0.0, 0.5])
    item = Item(card, 1, np.eye(3), place, shine=0.0, tint=(1.0, 0.5, 0.0))
    rendered = renderer.render([item], BACKGROUND, Light((0.0, 0.0, -1.0)))
    red, green, blue = rendered.image[rendered.ids == 1].mean(axis=0)
    assert red > 150
    assert green == pytest.approx(red / 2, abs=2)
    assert blue == 0
