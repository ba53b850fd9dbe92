"""Wrists that are wrong by a known length, with a network that is right but for that."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.data.by_name import NamedData
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.errors import ConfigError, EvaluationError
from hoisdf_ros.estimator import Estimator, Look
from hoisdf_ros.evaluation import root_errors
from hoisdf_ros.evaluation.evaluate import Run
from hoisdf_ros.evaluation.prediction import Predicted, Predictor, look_at
from hoisdf_ros.evaluation.root_error_report import RootErrorReport, as_row, parse_errors
from hoisdf_ros.evaluation.root_errors import Injected, RootErrors, displaced_look, displacement

LENGTHS = (0.0, 0.02)


@pytest.fixture
def run(
    samples: list[Sample],
    name_data: Callable[..., NamedData],
    estimator: Estimator,
    oracle: "Oracle",  # type: ignore[name-defined]  # noqa: F821
) -> Run:
    """One sample with an object, and a network that is not misled by wrong wrists."""
    oracle.samples, oracle.tolerance = samples[:1], 0.03
    depth = np.full(samples[0].image.shape[:2], 0.6, np.float32)
    sample = replace(samples[0], depth=depth)
    return Run(name_data([sample]), Predictor(estimator, 1), None)


def test_displacements_are_as_long_as_asked(samples: list[Sample]) -> None:
    for sample in samples:
        wrist = sample.hand_root
        assert wrist is not None
        ray = wrist / np.linalg.norm(wrist)
        along = displacement(sample, wrist, Injected("along", 0.02))
        across = displacement(sample, wrist, Injected("across", 0.02))
        assert abs(along @ ray) == pytest.approx(0.02)
        assert across @ ray == pytest.approx(0.0, abs=1e-12)
        assert np.linalg.norm(along) == pytest.approx(np.linalg.norm(across)) == pytest.approx(0.02)
        farther = displacement(sample, wrist, Injected("across", 0.05))
        np.testing.assert_allclose(farther, 2.5 * across)
    signs = [displacement(s, np.array([0, 0, 1.0]), Injected("along", 1.0))[2] for s in samples]
    assert set(signs) == {-1.0, 1.0}


def test_a_displaced_look_has_depth_and_all_else(samples: list[Sample], run: Run) -> None:
    sample = run.data.samples[0]
    config = run.predictor.estimator.config
    look, right = displaced_look(sample, config, Injected("along", 0.02)), look_at(sample, config)
    assert np.linalg.norm(look.root.position - right.root.position) == pytest.approx(0.02)
    assert np.isfinite(look.root.covariance).all()
    assert look.region == right.region
    assert look.frame.depth is sample.depth
    assert samples[0].depth is None


def test_a_wrong_wrist_moves_the_hand_and_leaves_its_pose(run: Run) -> None:
    points = RootErrors(run, 4)(LENGTHS)
    assert [point.injected.direction for point in points] == ["along"] * 2 + ["across"] * 2
    for point in points:
        row = as_row(point)
        assert row["abs_mje_mm"] == pytest.approx(1e3 * point.injected.length, abs=0.01)
        assert row["mje_mm"] == row["pa_mje_mm"] == pytest.approx(0.0, abs=0.01)
        # the object is where it is, which measured from a wrong wrist is elsewhere
        assert row["abs_adds_mm"] == pytest.approx(0.0, abs=0.01)
        assert point.refined is None  # untrained weights have no masks to refine by
    assert as_row(points[1])["adds_mm"] > 5  # type: ignore[operator]


def test_refined_wrists_are_measured_beside_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def perfect(estimator: Estimator, look: Look, place: int, sample: Sample) -> Predicted:
        asked.append(look)
        [found] = Predictor(estimator, 1)([(place, sample)])
        return found

    monkeypatch.setattr(root_errors, "refined", perfect)
    monkeypatch.setattr(Estimator, "trained", True)
    rows = [as_row(point) for point in RootErrors(run, 4)(LENGTHS)]
    assert len(asked) == 4
    assert rows[1]["abs_mje_mm"] == pytest.approx(20.0, abs=0.01)
    assert [row["refined_abs_mje_mm"] for row in rows] == [pytest.approx(0.0, abs=0.01)] * 4


def test_without_wrists_there_is_nothing_to_move(
    samples: list[Sample], name_data: Callable[..., NamedData], estimator: Estimator
) -> None:
    bare = replace(samples[0], hand_root=None, joints=None, mano=None)
    run = Run(name_data([bare]), Predictor(estimator, 1), None)
    with pytest.raises(EvaluationError, match="no sample can be measured"):
        RootErrors(run, 4)(LENGTHS)


def test_lengths_are_read_in_order() -> None:
    assert parse_errors("50,0,10,10") == (0.0, 0.01, 0.05)
    for text in ("", "a", "0,-1", "301", "nan"):
        with pytest.raises(ConfigError, match="expected millimetres from 0 to 300"):
            parse_errors(text)


def test_the_table_has_a_row_an_error(run: Run) -> None:
    points = RootErrors(run, 4)(LENGTHS)
    text = RootErrorReport("net", {}, points).markdown()
    assert "1 samples" in text
    (line,) = (line for line in text.splitlines() if line.startswith("| 20 across |"))
    assert [cell.strip() for cell in line.split("|")][5] == "20.0"
    assert line.endswith("| - | - | - |")
