"""The order of samples and their making, so that any step of a run can be made again.

Which samples a step takes, and how each is varied, depends on seed, epoch and position alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from hoisdf_ros.data.augment import AugmentConfig, Variation, draw
from hoisdf_ros.data.object_models import Objects
from hoisdf_ros.data.sample import SampleSet
from hoisdf_ros.errors import DataError, HoisdfError, ImageError, TrainingError, reason
from hoisdf_ros.training.batch import Batch, ExampleMaker, collate

Item = tuple[int, int]
"""Epoch and index of a sample."""

_TRIES = 1000  # samples in a row that may be unusable


@dataclass(frozen=True)
class TrainingData:
    """What to train on.

    Args:
        name: As the user gave it.
        samples: To learn from.
        held_out: To measure on.
        objects: Meshes of both.
    """

    name: str
    samples: SampleSet
    held_out: SampleSet
    objects: Objects


@dataclass(frozen=True)
class Order:
    """Who takes which samples when.

    Args:
        count: Samples there are.
        batch_size: Samples of a step on each device.
        seed: Of the shuffling.
        rank, world: This process among how many.
    """

    count: int
    batch_size: int
    seed: int
    rank: int = 0
    world: int = 1

    @property
    def steps(self) -> int:
        """Steps of one epoch; what does not fill a step waits for the next epoch's shuffle."""
        return self.count // (self.batch_size * self.world)

    def batches(self, first: int, last: int) -> Iterator[list[Item]]:
        """The items of steps ``first`` to before ``last``, counted over all epochs."""
        epoch = -1
        shuffled: NDArray[np.int64] = np.arange(self.count)
        for step in range(first, last):
            if step // self.steps != epoch:
                epoch = step // self.steps
                shuffled = np.random.default_rng((self.seed, epoch)).permutation(self.count)
            start = ((step % self.steps) * self.world + self.rank) * self.batch_size
            yield [(epoch, int(k)) for k in shuffled[start : start + self.batch_size]]


class Examples(Dataset[Batch]):
    """Examples by epoch and index.

    Args:
        samples: The data set.
        maker: Makes an example of a sample.
        augment: How samples vary; None leaves them as they are.
        seed: Of the variation.
    """

    def __init__(
        self, samples: SampleSet, maker: ExampleMaker, augment: AugmentConfig | None, seed: int
    ) -> None:
        self.samples, self.maker, self.augment, self.seed = samples, maker, augment, seed

    def __getitem__(self, item: Item) -> Batch:
        """The sample, or the next one that can be used.

        Raises:
            DataError: A damaged sample, or none that can be used far and wide.
        """
        epoch, index = item
        rng = np.random.default_rng((self.seed, epoch, index, 1))
        variation = draw(self.augment, rng) if self.augment else Variation()
        for tried in range(min(_TRIES, len(self.samples))):
            place = (index + tried) % len(self.samples)
            if not self.samples.usable(place):
                continue
            sample = self.samples[place]
            if sample.hand_root is None or sample.hand_box is None:
                continue
            try:
                return self.maker(sample, variation, rng)
            except ImageError:  # the hand lies outside the picture
                continue
        raise DataError(
            f"none of the samples from number {index} on shows a hand whose wrist is known; check "
            "the data set's split and annotations"
        )


class _Batches:
    """`Order.batches` as the thing that a DataLoader may iterate over."""

    def __init__(self, order: Order, first: int, last: int) -> None:
        self.order, self.first, self.last = order, first, last

    def __iter__(self) -> Iterator[list[Item]]:
        return self.order.batches(self.first, self.last)


@dataclass(frozen=True)
class Helpers:
    """Processes that make samples.

    Args:
        count: How many; 0: this process does it itself.
        start: ``forkserver``, since this process may have drawn pictures or used a GPU, which a
            process forked from it could not; ``fork`` where it has not. ``spawn`` would wait
            forever for a process that dies while it starts.
    """

    count: int
    start: Literal["forkserver", "fork"] = "forkserver"


def stream(
    examples: Examples, order: Order, first: int, last: int, helpers: Helpers
) -> Iterator[Batch]:
    """The batches of steps ``first`` to before ``last``, in order.

    Raises:
        TrainingError: A worker process died, or shared memory is full.
        HoisdfError: What making a sample was refused for.
    """
    loader = DataLoader(
        examples,
        batch_sampler=_Batches(order, first, last),
        num_workers=helpers.count,
        collate_fn=collate,
        worker_init_fn=_one_thread if helpers.count else None,
        multiprocessing_context=helpers.start if helpers.count else None,
        generator=torch.Generator().manual_seed(order.seed),  # leaves the global one alone
    )
    try:
        yield from loader
    except HoisdfError as error:
        raise (_without_traceback(error) if helpers.count else error) from error
    except (RuntimeError, ConnectionError, EOFError) as error:
        if isinstance(error, RuntimeError) and not any(text in str(error) for text in _DIED):
            raise
        raise TrainingError(
            f"a process that makes samples died ({reason(error)}): memory ran out, or it was "
            "killed; use fewer workers and go on with --resume"
        ) from error


_DIED = ("DataLoader worker (pid", "No space left")
"""What PyTorch says of a process that is gone, and of shared memory that is full."""


def _without_traceback(error: HoisdfError) -> HoisdfError:
    """A worker's error without the traceback of the worker, which PyTorch puts into its text."""
    name = f"{type(error).__module__}.{type(error).__qualname__}: "
    return type(error)(str(error).rpartition(name)[2].strip())


def _one_thread(_: int) -> None:
    cv2.setNumThreads(0)
