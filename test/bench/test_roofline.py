"""Counted work against work that is known, and what becomes of it."""

import torch
from torch.nn import functional

from hoisdf_ros.bench.roofline import Rates, Work, measured_rates, roofline_rows, work_of
from hoisdf_ros.bench.timing import Timing


def test_a_product_is_two_operations_an_element_pair() -> None:
    left, right = torch.rand(30, 40), torch.rand(40, 50)
    work = work_of(lambda: left @ right)
    assert work == Work(2 * 30 * 40 * 50, 4 * (30 * 40 + 40 * 50 + 30 * 50))


def test_a_convolution_counts_also_with_weights_that_could_be_trained() -> None:
    image, kernel = torch.rand(1, 3, 8, 8), torch.rand(5, 3, 3, 3, requires_grad=True)
    work = work_of(lambda: functional.conv2d(image, kernel))
    assert work.flops == 2 * 5 * 3 * 9 * 36


def test_views_move_nothing_and_copies_do() -> None:
    source = torch.rand(10, 20)
    assert work_of(lambda: source.transpose(0, 1)[3:7].reshape(4, 1, 10)).bytes == 0
    assert work_of(source.clone).bytes == 2 * 4 * 200


def test_writing_in_place_moves_something() -> None:
    target = torch.rand(10)
    assert work_of(lambda: target.mul_(2.0)).bytes > 0


def test_an_expanded_tensor_is_read_as_large_as_it_is() -> None:
    one = torch.rand(1)
    assert work_of(lambda: one.expand(1000) + 1).bytes < 4 * 1100


def test_the_limit_is_the_slower_of_arithmetic_and_memory() -> None:
    rates = Rates(flops=1e9, bytes=1e8)
    works = {"sums": Work(10**7, 10**5), "copies": Work(10**6, 10**6)}
    rows = roofline_rows(works, {"sums": Timing((20.0,)), "copies": Timing((20.0,))}, rates)
    assert [row["bound_by"] for row in rows] == ["arithmetic", "memory"]
    assert [row["least_ms"] for row in rows] == [10.0, 10.0]
    assert [row["share_of_limit"] for row in rows] == [0.5, 0.5]


def test_rates_are_those_of_a_machine() -> None:
    rates = measured_rates("cpu")
    assert 1e7 < rates.flops < 1e15
    assert 1e7 < rates.bytes < 1e14
