"""Weights of the scores, and how naming is counted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hoisdf_ros.bench.held_object_fit import fit_holding, fit_naming
from hoisdf_ros.bench.held_objects import Case, naming_accuracy
from hoisdf_ros.bench.object_evidence import TrueWitness
from hoisdf_ros.config import preset
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.object_models import MeshLibrary
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.data.synthetic_scene import Kind
from hoisdf_ros.datatypes import Array, Camera, ManoParameters
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.postprocessing.identity import CUES, UNKNOWN, Fit
from hoisdf_ros.postprocessing.naming import CUE_UNITS

NAMES = ("can", "drill", "box")
GOOD, BAD = 0.2 * CUE_UNITS, 4.0 * CUE_UNITS


def _fit(cues: Array) -> Fit:
    return Fit(cues, np.eye(3), np.zeros(3))


def _cases(rng: np.random.Generator, count: int) -> list[tuple[str, dict[str, Fit]]]:
    """Only the outline tells the true object from the others."""
    cases = []
    for _ in range(count):
        truth = str(rng.choice([*NAMES, UNKNOWN]))
        fits = {}
        for name in NAMES:
            cues = CUE_UNITS * rng.uniform(0.5, 3.0, len(CUES))
            cues[CUES.index("outline")] = 0.1 if name == truth else rng.uniform(0.6, 0.9)
            fits[name] = _fit(cues)
        cases.append((truth, fits))
    return cases


def test_naming_trusts_the_cue_that_tells() -> None:
    weights = fit_naming(_cases(np.random.default_rng(0), 120))
    assert weights.cues.argmax() == CUES.index("outline")
    assert (weights.cues >= 0).all()
    others = np.delete(weights.cues, CUES.index("outline"))
    assert others.max() < 0.3 * weights.cues.max()
    assert weights.unknown < 0


def test_holding_finds_the_cue_that_tells() -> None:
    rng = np.random.default_rng(0)
    held: NDArray[np.bool_] = rng.uniform(size=300) < 0.9  # rare ones weigh as much
    cues = rng.uniform(size=(300, 4))
    cues[:, 3] = np.where(held, 0.1, 0.8)
    weights = fit_holding(cues, held)
    assert weights.cues[3] < -3.0
    assert np.abs(weights.cues[:3]).max() < 0.5
    odds = cues @ weights.cues + weights.bias
    assert ((odds > 0) == held).all()


def _case(truth: str, best: str) -> Case:
    fits = {name: _fit(GOOD if name == best else BAD) for name in NAMES}
    return Case(Kind.HELD, truth, fits if best else {}, fits, np.zeros(4), 1.0, (0.0, 0.0))


def test_every_object_counts_as_named_missed_or_wrong() -> None:
    cases = [
        _case("can", "can"),
        _case("drill", "can"),
        _case(UNKNOWN, "can"),
        _case("box", ""),  # nothing was seen of it: unknown
        _case("", "can"),  # no object: not a matter of naming
    ]
    found = naming_accuracy(cases, depth=True)
    assert found.count == 4
    assert found.known == pytest.approx(1 / 3)
    assert found.unknown == 0.0
    assert found.wrong == pytest.approx(2 / 4)


def _sample(object_id: str | None) -> Sample:
    camera = Camera(600, 600, 320, 240, 640, 480)
    wrist = np.array([0.05, 0.0, 0.6])
    joints = wrist + np.random.default_rng(0).normal(0, 0.03, (21, 3))
    joints[0] = wrist
    place = np.array([0.0, 0.0, 0.6])
    corners = np.array(list(np.ndindex(2, 2, 2))) * 0.1 - 0.05 + place
    mask = np.zeros((480, 640), dtype=bool)
    mask[200:280, 280:360] = object_id is not None
    return Sample(
        key="one",
        image=np.zeros((480, 640, 3), np.uint8),
        camera=camera,
        side=Side.RIGHT,
        hand_root=wrist,
        joints=joints,
        mano=ManoParameters(np.zeros(3), np.zeros(45), np.zeros(10), wrist),
        object_id=object_id,
        object_rotation=None if object_id is None else np.eye(3),
        object_translation=None if object_id is None else place,
        hand_mask=np.zeros_like(mask),
        object_mask=mask,
        hand_box=box_around(joints, camera),
        object_box=None if object_id is None else box_around(corners, camera),
    )


def test_the_true_witness_says_the_truth_and_a_spoilt_one_not_quite() -> None:
    objects = MeshLibrary({"block": box((0.1, 0.06, 0.04))})
    true = TrueWitness(preset("demo"), objects)(_sample("block"), 0)
    assert true.field is not None
    place = true.field.middle + true.said.center
    np.testing.assert_allclose(place, [0.0, 0.0, 0.6], atol=0.006)  # half a cell
    np.testing.assert_allclose(true.said.translation, [0.0, 0.0, 0.6])
    np.testing.assert_allclose(true.said.rotation, np.eye(3))
    assert np.linalg.norm(true.skin.mean(axis=0) - [0.05, 0.0, 0.6]) < 0.15
    spoilt = TrueWitness(preset("demo"), objects, 1.0)(_sample("block"), 0)
    again = TrueWitness(preset("demo"), objects, 1.0)(_sample("block"), 0)
    assert np.linalg.norm(spoilt.said.translation - true.said.translation) > 0.001
    np.testing.assert_array_equal(spoilt.masks.thing, again.masks.thing)


def test_an_empty_hand_has_no_field_of_an_object() -> None:
    objects = MeshLibrary({"block": box((0.1, 0.06, 0.04))})
    empty = TrueWitness(preset("demo"), objects)(_sample(None), 0)
    assert empty.field is None
    assert not empty.masks.thing.any()
