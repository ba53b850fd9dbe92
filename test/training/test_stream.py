"""The order of samples, who makes them, and what happens when that fails."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from hoisdf_ros.data.augment import AugmentConfig
from hoisdf_ros.data.sample import Sample, SampleSet
from hoisdf_ros.datatypes import Box
from hoisdf_ros.errors import DataError, TrainingError
from hoisdf_ros.training.batch import ExampleMaker
from hoisdf_ros.training.stream import Examples, Helpers, Order, stream


def items(order: Order, first: int, last: int) -> list[int]:
    return [index for batch in order.batches(first, last) for _, index in batch]


def test_an_epoch_takes_every_sample_once_whoever_takes_it() -> None:
    orders = [Order(12, 2, 0, rank, 2) for rank in (0, 1)]
    assert orders[0].steps == 3
    first = [items(order, 0, 3) for order in orders]
    assert sorted(first[0] + first[1]) == list(range(12))
    assert items(orders[0], 3, 6) != first[0]


def test_any_step_can_be_asked_for() -> None:
    order = Order(10, 3, 5)
    assert items(order, 0, 9)[12:] == items(order, 4, 9)
    assert [epoch for batch in order.batches(2, 4) for epoch, _ in batch] == [0] * 3 + [1] * 3


class Spoilt:
    """A data set some of whose samples cannot be used."""

    def __init__(self, inner: SampleSet, good: set[int]) -> None:
        self.inner, self.good = inner, good

    @property
    def keys(self) -> tuple[str, ...]:
        return self.inner.keys

    def __len__(self) -> int:
        return len(self.inner)

    def usable(self, index: int) -> bool:
        return index != 1

    def __getitem__(self, index: int) -> Sample:
        sample = self.inner[index]
        outside = Box(-90.0, -90.0, -80.0, -80.0)
        return sample if index in self.good else replace(sample, hand_box=outside, object_box=None)


def test_unusable_samples_are_passed_over(maker: ExampleMaker, noise: SampleSet) -> None:
    examples = Examples(Spoilt(noise, {0, 1, 4}), maker, None, 0)
    assert examples[(0, 1)].keys == ("noise/4",)
    assert examples[(0, 5)].keys == ("noise/0",)
    with pytest.raises(DataError, match="from number 3 on"):
        Examples(Spoilt(noise, set()), maker, None, 0)[(0, 3)]


def test_the_variation_depends_on_seed_epoch_and_sample(
    maker: ExampleMaker, noise: SampleSet
) -> None:
    one, other = (Examples(noise, maker, AugmentConfig(), seed) for seed in (0, 1))
    again, first = one[(0, 0)].inputs.image, one[(0, 0)].inputs.image
    assert torch.equal(first, again)
    assert not torch.equal(first, one[(1, 0)].inputs.image)
    assert not torch.equal(first, other[(0, 0)].inputs.image)


def test_workers_make_what_one_process_makes(maker: ExampleMaker, noise: SampleSet) -> None:
    examples = Examples(noise, maker, AugmentConfig(), 0)
    order = Order(len(noise), 2, 0)
    alone, helped = (
        list(stream(examples, order, 1, 4, Helpers(workers, "fork"))) for workers in (0, 2)
    )
    assert [batch.keys for batch in alone] == [batch.keys for batch in helped]
    for mine, theirs in zip(alone, helped, strict=True):
        assert torch.equal(mine.inputs.image, theirs.inputs.image)
        assert torch.equal(mine.targets.hand_field.near, theirs.targets.hand_field.near)


class Deadly(Spoilt):
    def __getitem__(self, index: int) -> Sample:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def test_a_killed_worker_is_a_clear_error(maker: ExampleMaker, noise: SampleSet) -> None:
    examples = Examples(Deadly(noise, set()), maker, None, 0)
    with pytest.raises(TrainingError, match="makes samples died"):
        list(stream(examples, Order(len(noise), 2, 0), 0, 2, Helpers(1, "fork")))


class Damaged(Spoilt):
    def __getitem__(self, index: int) -> Sample:
        raise DataError(f"file {index} is damaged: make it again")


@pytest.mark.parametrize("workers", [0, 1])
def test_what_a_sample_was_refused_for_is_said_without_a_traceback(
    maker: ExampleMaker, noise: SampleSet, workers: int
) -> None:
    examples = Examples(Damaged(noise, set()), maker, None, 0)
    with pytest.raises(DataError, match=r"^file \d is damaged: make it again$"):
        list(stream(examples, Order(len(noise), 2, 0), 0, 2, Helpers(workers, "fork")))


class Broken(Spoilt):
    def __getitem__(self, index: int) -> Sample:
        raise RuntimeError(f"a mistake in the program at {index}")


def test_a_mistake_in_the_program_is_not_taken_for_a_killed_worker(
    maker: ExampleMaker, noise: SampleSet
) -> None:
    examples = Examples(Broken(noise, set()), maker, None, 0)
    with pytest.raises(RuntimeError, match="a mistake in the program"):
        list(stream(examples, Order(len(noise), 2, 0), 0, 2, Helpers(1, "fork")))


class DeadOnArrival(Spoilt):
    """Kills whoever unpacks it, once it is more than a pipe holds."""

    def __init__(self, inner: SampleSet) -> None:
        super().__init__(inner, set())
        self.load = bytes(1 << 20)

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (1,), None, None, iter([("load", self.load)])


def test_a_worker_that_dies_while_it_starts_is_a_clear_error(
    maker: ExampleMaker, noise: SampleSet
) -> None:
    examples = Examples(DeadOnArrival(noise), maker, None, 0)
    with pytest.raises(TrainingError, match="makes samples died"):
        list(stream(examples, Order(len(noise), 2, 0), 0, 2, Helpers(1)))


def test_any_seed_makes_a_permutation() -> None:
    for seed in range(5):
        assert sorted(items(Order(7, 1, seed), 0, 7)) == np.arange(7).tolist()
