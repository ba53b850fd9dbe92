"""Which predictions are shown, and that they are shown where they are."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.contact_sheet import (
    PANEL,
    Image,
    Scene,
    Selection,
    Shown,
    caption_of,
    contact_sheet,
    draw_pair,
    select,
    write_contact_sheet,
)
from hoisdf_ros.evaluation.results import Hand, HandErrors, ObjectErrors, SampleErrors
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.hand_model.stand_in import load_stand_in
from hoisdf_ros.postprocessing.overlay import OBJECT_COLOR

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
STAND_IN = load_stand_in(Side.RIGHT)


def hand_of(mje: float) -> HandErrors:
    return HandErrors(mje, 0.5 * mje, *[0.1] * 11)


def measured(*mjes: float) -> list[SampleErrors]:
    return [SampleErrors(f"frame/{n}", hand_of(mje)) for n, mje in enumerate(mjes)]


def test_best_median_and_worst() -> None:
    found = select(measured(0.05, 0.01, 0.04, 0.08, 0.02, 0.03, 0.07, 0.06, 0.09), 2)
    assert found == Selection(best=(1, 4), median=(2, 0), worst=(8, 3))
    assert select(measured(0.05, 0.01, 0.04), 1) == Selection((1,), (2,), (0,))


@pytest.mark.parametrize("count", [1, 3, 100])
@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 8, 30])
def test_nobody_is_shown_twice_and_the_order_is_that_of_the_errors(total: int, count: int) -> None:
    mjes = np.random.default_rng(total).permutation(total) / 100
    found = select(measured(*mjes.tolist()), count)
    shown = [*found.best, *found.median, *reversed(found.worst)]
    assert len(set(shown)) == len(shown) > 0
    assert (np.diff(mjes[shown]) > 0).all()
    assert mjes[found.best[0]] == 0
    if total > 1:
        assert mjes[found.worst[0]] == mjes.max()
    if total >= 3 * count:
        assert [len(k) for k in (found.best, found.median, found.worst)] == [count] * 3
        below, above = mjes < mjes[found.median[0]], mjes > mjes[found.median[-1]]
        assert abs(int(below.sum()) - int(above.sum())) <= 1


def test_samples_without_a_hand_are_left_out_unless_there_is_none_else() -> None:
    held = ObjectErrors(*[0.02] * 12)
    things = [SampleErrors(name, None, "can", replace(held, adds=e)) for name, e in
              (("a", 0.03), ("b", 0.01), ("c", 0.02))]  # fmt: skip
    assert select([*things, *measured(0.5, 0.1)], 5) == Selection((4,), (), (3,))
    assert select(things, 5) == Selection((1,), (2,), (0,))
    assert select(measured(0.2, np.nan, 0.1), 1).worst == (1,)
    with pytest.raises(EvaluationError, match="from 0 measured samples"):
        select([SampleErrors("a")], 2)
    with pytest.raises(EvaluationError, match="sheet of 0 of each"):
        select(measured(0.1), 0)


def test_the_caption_names_the_sample_and_its_errors() -> None:
    held = ObjectErrors(oce=0.0207, mce=0.1, ome=0.1, adds=0.0123, bop_adds=0.1, abs_oce=0.1,
                        abs_adds=0.1, gsdf_center=0.1, gsdf_corner=0.1, reprojection_px=1.0,
                        rep_5=1.0, abs_add_10=1.0)  # fmt: skip
    sample = SampleErrors("synthetic/test/7", hand_of(0.0104), "003_cracker_box", held)
    assert caption_of(sample) == (
        "synthetic/test/7  003_cracker_box",
        "MJE 10.4, PA-MJE 5.2, ADD-S 12.3, OCE 20.7 mm",
    )
    long = caption_of(SampleErrors("20200709-subject-01/20200709_141841/836212060125/000042"))[0]
    assert len(long) == 40
    assert long.endswith("836212060125/000042")


def scene(shift: float = 0.0, thing: bool = True) -> Scene:
    at = np.array([shift, 0.0, 0.6])
    vertices: Array = np.asarray(STAND_IN.v_template, dtype=np.float64)
    vertices = vertices - vertices.mean(axis=0) + at
    brick = box((0.06, 0.06, 0.06))
    held = Mesh(brick.vertices + at + np.array([0.1, 0.0, 0.0]), brick.faces)
    return Scene(Hand(vertices[:21], vertices), held if thing else None)


def shown(predicted: Scene, truth: Scene, grey: int = 120) -> Shown:
    image: Image = np.full((480, 640, 3), grey, dtype=np.uint8)
    return Shown(image, CAMERA, STAND_IN.faces, predicted, truth)


def columns_of(picture: Image, colour: tuple[int, int, int]) -> Array:
    """x of the pixels of a colour."""
    near = np.abs(picture.astype(int) - np.array(colour)).max(axis=-1) < 12
    return np.asarray(np.argwhere(near)[:, 1], dtype=float)


def test_both_are_drawn_on_the_same_crop_each_in_its_place() -> None:
    pair = draw_pair(shown(scene(-0.03), scene()))
    assert pair.shape == (PANEL, 2 * PANEL + 3, 3)
    left, right = pair[:, :PANEL], pair[:, -PANEL:]
    assert abs(left.astype(int).mean() - right.astype(int).mean()) < 20
    apart = columns_of(right, OBJECT_COLOR).mean() - columns_of(left, OBJECT_COLOR).mean()
    # the true scene, about 23 cm wide, fills 1 / 1.25 of the crop
    truth = scene()
    assert truth.hand is not None
    assert truth.held is not None
    seen = np.concatenate([truth.hand.vertices, truth.held.vertices])
    extent = np.ptp(seen[:, :2] / seen[:, 2:], axis=0).max()
    assert apart == pytest.approx(0.03 / 0.6 / extent * PANEL / 1.25, rel=0.1)


def test_an_outline_surrounds_the_object_in_the_picture() -> None:
    truth = scene()
    given = shown(scene(thing=False), truth)
    assert truth.held is not None
    pixels = truth.held.vertices @ CAMERA.matrix.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    (x0, y0), (x1, y1) = pixels.min(axis=0).astype(int), pixels.max(axis=0).astype(int)
    given.image[y0:y1, x0:x1] = (250, 0, 250)
    right = draw_pair(given)[:, -PANEL:]
    thing, outline = columns_of(right, (250, 0, 250)), columns_of(right, OBJECT_COLOR)
    assert thing.max() == pytest.approx(outline.max(), abs=4)
    assert len(thing) > 1000
    left = draw_pair(given)[:, :PANEL]
    assert not len(columns_of(left, OBJECT_COLOR))


@pytest.mark.parametrize(
    ("predicted", "truth"),
    [
        (scene(), Scene(None, None)),
        (Scene(None, None), scene()),
        (Scene(None, None), Scene(None, None)),
        (scene(50.0), scene()),
        (scene(), scene(-0.45)),  # at the image's edge
    ],
)
def test_what_is_unknown_or_far_off_is_no_trouble(predicted: Scene, truth: Scene) -> None:
    pair = draw_pair(shown(predicted, truth))
    assert pair.shape == (PANEL, 2 * PANEL + 3, 3)


def test_a_prediction_behind_the_camera_is_not_drawn() -> None:
    truth = scene()
    assert truth.hand is not None
    behind = Scene(Hand(truth.hand.joints - [0, 0, 2], truth.hand.vertices - [0, 0, 2]), None)
    left = draw_pair(shown(behind, truth))[:, :PANEL]
    assert (left == 120).all()


def test_each_sample_is_asked_for_once_and_one_at_a_time() -> None:
    samples = measured(*[0.01 * n for n in range(12)])
    asked: list[int] = []

    def read(number: int) -> Shown:
        asked.append(number)
        return shown(scene(), scene(), grey=10 * number)

    chosen = select(samples, 2)
    sheet = contact_sheet(samples, chosen, read, "a test")
    assert asked == [*chosen.best, *chosen.median, *chosen.worst]
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    for number in asked:
        assert len(columns_of(sheet, (10 * number,) * 3)) > PANEL**2 / 4
    smaller = contact_sheet(samples[:2], select(samples[:2], 2), read, "a test")
    assert smaller.shape[0] < sheet.shape[0]
    assert smaller.shape[1] < sheet.shape[1]


def test_what_is_written_is_what_was_drawn(tmp_path: Path) -> None:
    samples = measured(0.1)
    sheet = contact_sheet(samples, select(samples, 1), lambda _: shown(scene(), scene()), "$x^2$")
    write_contact_sheet(tmp_path / "new" / "sheet.png", sheet)
    read = cv2.imread(str(tmp_path / "new" / "sheet.png"))
    assert read is not None
    np.testing.assert_array_equal(read[..., ::-1], sheet)
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot write the contact sheet"):
        write_contact_sheet(tmp_path / "file" / "sheet.png", sheet)
