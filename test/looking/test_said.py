"""Names: given ones first, then those found, and unknown ones as surfaces."""

from dataclasses import replace

import numpy as np
import pytest

from hoisdf_ros.conventions import NameSource, Side
from hoisdf_ros.datatypes import Box, Detection, Mesh
from hoisdf_ros.looking.said import held_object
from hoisdf_ros.postprocessing.holding import Holding
from hoisdf_ros.postprocessing.identity import UNKNOWN
from hoisdf_ros.postprocessing.naming import NameVotes
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.tracking.grasp import Grasp

HAND, THING = Box(100, 100, 200, 200), Box(150, 90, 260, 190)
REGION = HandRegion(Side.RIGHT, 1.0, Detection("right_hand", HAND), None)
GIVEN = replace(REGION, held=Detection("mug", THING, 0.7))
SURFACE = Mesh(np.eye(3), np.array([[0, 1, 2]], np.int32))


def grasp(score: float, **odds: float) -> Grasp:
    votes = NameVotes().plus(odds) if odds else NameVotes()
    return Grasp(Holding(score, 0.002), votes, 0.0, 1, THING, SURFACE, np.zeros(3))


MUG = grasp(0.9, mug=0.0, bowl=-3.0, **{UNKNOWN: -6.0})


def test_what_detections_name_is_that() -> None:
    held, naming = held_object(GIVEN, MUG, "")
    assert held == GIVEN.held
    assert (naming.source, naming.score) == (NameSource.DETECTED, 0.7)
    assert naming.held_score == 0.9


@pytest.mark.parametrize("region", [REGION, GIVEN])
def test_what_the_setting_names_is_certain(region: HandRegion) -> None:
    held, naming = held_object(region, MUG, "mug")
    assert held is not None
    assert held.label == "mug"
    assert (naming.source, naming.score) == (NameSource.GIVEN, 1.0)


def test_what_fits_best_is_named_with_the_next_best() -> None:
    held, naming = held_object(REGION, MUG, "")
    assert held is not None
    assert (held.label, held.box) == ("mug", THING)
    assert (naming.source, naming.runner_up_id) == (NameSource.FIELD, "bowl")
    assert held.score == min(naming.score, 0.9)
    assert naming.score > 0.9 > naming.runner_up_score


@pytest.mark.parametrize("seen", [grasp(0.9, mug=-9.0, **{UNKNOWN: 0.0}), grasp(0.9)])
def test_what_fits_nothing_is_unknown(seen: Grasp) -> None:
    held, naming = held_object(REGION, seen, "")
    assert held is not None
    assert held.label == UNKNOWN
    assert naming.source is NameSource.UNKNOWN


@pytest.mark.parametrize("seen", [None, grasp(0.3, mug=0.0)])
def test_an_empty_hand_holds_nothing_whatever_the_setting_names(seen: Grasp | None) -> None:
    for object_id in ("", "mug"):
        held, _ = held_object(REGION, seen, object_id)
        assert held is None
