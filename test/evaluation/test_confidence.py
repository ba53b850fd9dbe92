"""Wrists that are wrong, and whether their covariances know it."""

from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array, HandEstimate
from hoisdf_ros.evaluation.confidence import deviations, is_confident, is_wrong

_SPEC = spec_from_file_location("sequence_fakes", Path(__file__).with_name("sequence_fakes.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
fakes = module_from_spec(_SPEC)  # test folders are no packages
_SPEC.loader.exec_module(fakes)

HAND = fakes.true_hand(0, fakes.LEFT_PLACE)
OTHER = fakes.true_hand(1, fakes.RIGHT_PLACE)


def found(offset: Array, covariance: Array) -> HandEstimate:
    hand: HandEstimate = fakes.estimate_of(HAND, 0, offset)
    return replace(hand, root=replace(hand.root, covariance=covariance))


def test_deviations_are_counted_along_each_axis() -> None:
    covariance = np.diag([0.01, 0.02, 0.05]) ** 2
    assert deviations(np.array([0.0, 0.0, 0.1]), covariance) == pytest.approx(2.0)
    assert deviations(np.array([0.03, 0.0, 0.2]), covariance) == pytest.approx(5.0)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = deviations(turn @ [0.03, 0.0, 0.2], turn @ covariance @ turn.T)
    assert turned == pytest.approx(5.0)


def test_no_covariance_counts_nothing_and_none_at_all_is_exact() -> None:
    assert np.isnan(deviations(np.ones(3), np.full((3, 3), np.nan)))
    assert deviations(np.array([0.001, 0.0, 0.0]), np.zeros((3, 3))) > 100
    assert deviations(np.zeros(3), np.zeros((3, 3))) == 0.0


def test_a_wrist_is_wrong_when_it_is_nobodys() -> None:
    near = found(np.array([0.0, 0.0, 0.09]), np.eye(3))
    far = found(np.array([0.0, 0.0, 0.11]), np.eye(3))
    assert not is_wrong(near, [HAND, OTHER])
    assert is_wrong(far, [HAND, OTHER])
    assert is_wrong(near, [OTHER])
    assert is_wrong(near, [])
    beside = found(OTHER.joints[0] - HAND.joints[0], np.eye(3))
    assert not is_wrong(beside, [HAND, OTHER])


def test_confident_is_who_rules_the_truth_out() -> None:
    offset = np.array([0.0, 0.0, 0.2])
    assert is_confident(found(offset, 0.03**2 * np.eye(3)), [HAND])
    assert not is_confident(found(offset, np.diag([0.01, 0.01, 0.08]) ** 2), [HAND])
    assert not is_confident(found(offset, np.full((3, 3), np.nan)), [HAND])
    assert is_confident(found(offset, 0.03**2 * np.eye(3)), [])
    assert not is_confident(found(offset, np.full((3, 3), np.nan)), [])
