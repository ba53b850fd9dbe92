"""Error curves and bars: their numbers, and files for whatever was measured."""

import subprocess
import sys
from dataclasses import astuple, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hoisdf_ros.errors import EvaluationError
from hoisdf_ros.evaluation.figures import axis_end, plot_results, share_within
from hoisdf_ros.evaluation.results import HandErrors, ObjectErrors, SampleErrors

HAND = HandErrors(*np.linspace(0.01, 0.02, 13).tolist())
HELD = ObjectErrors(*np.linspace(0.02, 0.03, 12).tolist())


def test_shares_count_errors_up_to_the_threshold_and_nan_never() -> None:
    errors = np.array([3.0, 1.0, 2.0, np.nan])
    found = share_within(errors, np.array([0.5, 1.0, 2.5, 100.0]))
    assert found.tolist() == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize(
    ("errors", "end"),
    [
        ([0.001, 0.002], 5.0),
        ([0.012], 20.0),
        ([0.03, np.nan], 30.0),
        ([9.0], 500.0),
        ([np.nan], 50.0),
    ],
)
def test_the_axis_ends_at_a_round_number_behind_most_samples(
    errors: list[float], end: float
) -> None:
    assert axis_end([np.array(errors)]) == end


def test_one_bad_curve_does_not_squeeze_the_others() -> None:
    good, bad = np.full(50, 0.008), np.full(50, 0.4)
    assert axis_end([good, good, bad]) == 10.0


def mean_colour(path: Path, rgb: tuple[int, int, int]) -> int:
    """Pixels of about this colour."""
    picture = cv2.imread(str(path))
    assert picture is not None
    apart = np.abs(picture[..., ::-1].astype(int) - np.array(rgb)).max(axis=-1)
    return int((apart < 8).sum())


ADD_S, MJE, SKY = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2), (0x56, 0xB4, 0xE9)


def test_a_plot_shows_what_was_measured(tmp_path: Path) -> None:
    cases = {
        "hands": [SampleErrors("a", HAND), SampleErrors("b", replace(HAND, mje=0.02))],
        "objects": [SampleErrors("a", None, "002_master_chef_can", HELD)],
        "both": [SampleErrors("a", HAND, "ball", HELD), SampleErrors("b", HAND)],
    }
    for name, samples in cases.items():
        path = tmp_path / "new" / f"{name}.png"
        plot_results(samples, path, "a test")
        assert (mean_colour(path, MJE) > 200) == (name != "objects")
        assert (mean_colour(path, ADD_S) > 200) == (name != "hands")


def test_the_camera_frame_is_drawn_where_it_differs(tmp_path: Path) -> None:
    shown = []
    for abs_mje in (HAND.mje, 2 * HAND.mje):
        hand = replace(HAND, pa_mje=0.004, mean_pose_mje=0.03, abs_mje=abs_mje)
        plot_results([SampleErrors("a", hand)], tmp_path / "a.png", "a test")
        shown.append((mean_colour(tmp_path / "a.png", MJE), mean_colour(tmp_path / "a.png", SKY)))
    assert shown[0][0] > 200
    assert (shown[0][1] > 200, shown[1][1] > 200) == (False, True)


def test_a_longer_bar_for_a_larger_error(tmp_path: Path) -> None:
    areas = []
    for adds in (0.005, 0.02):
        errors = replace(HELD, adds=adds, oce=0.02, mce=0.02)
        plot_results([SampleErrors("a", None, "ball", errors)], tmp_path / "a.png", "a test")
        areas.append(mean_colour(tmp_path / "a.png", ADD_S))
    assert areas[1] > 2 * areas[0]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_degenerate_errors_are_drawn(tmp_path: Path, value: float) -> None:
    hand = HandErrors(*[value] * len(astuple(HAND)))
    held = ObjectErrors(*[value] * len(astuple(HELD)))
    plot_results([SampleErrors("a", hand, "ball", held)], tmp_path / "a.png", "a test")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_many_objects_make_a_taller_picture(tmp_path: Path) -> None:
    heights = []
    for count in (2, 20):
        samples = [SampleErrors("a", HAND, f"object_{k}", HELD) for k in range(count)]
        plot_results(samples, tmp_path / "a.png", "a test")
        picture = cv2.imread(str(tmp_path / "a.png"))
        assert picture is not None
        heights.append(picture.shape[0])
    assert heights[1] > heights[0] + 800


def test_nothing_to_draw_and_nowhere_to_write_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="none of 1 samples"):
        plot_results([SampleErrors("a")], tmp_path / "a.png", "a test")
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot write the plot"):
        plot_results([SampleErrors("a", HAND)], tmp_path / "file" / "a.png", "a test")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_no_window_system_is_touched() -> None:
    code = (
        "import sys, hoisdf_ros.evaluation.figures as f; print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
