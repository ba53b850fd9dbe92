"""The error that parity reports."""

import math

import pytest
import torch

from hoisdf_ros.bench.comparison import Comparison, relative_error


def test_error_is_a_share_of_the_largest_value() -> None:
    golden = torch.tensor([[1.0, -20.0]])
    assert relative_error(torch.tensor([1.2, -20.0]), golden) == pytest.approx(0.01)
    assert relative_error(torch.tensor([0.0, 0.25]), torch.zeros(2)) == 0.25


def test_what_cannot_be_compared_does_not_agree() -> None:
    for ours in (torch.zeros(3), torch.tensor([math.nan, 1.0])):
        error = relative_error(ours, torch.tensor([1.0, 1.0]))
        assert not Comparison("stage", "array", error, 1.0).agrees


def test_both_undefined_is_agreement() -> None:
    undefined = torch.tensor([math.nan, 1.0])
    assert relative_error(undefined, undefined) == 0.0
    assert not Comparison("", "", relative_error(torch.ones(2), undefined), 1.0).agrees
