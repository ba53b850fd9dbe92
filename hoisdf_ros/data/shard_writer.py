"""Making a folder of shards with several processes, as far as it is not made yet."""

import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import torch
from tqdm import tqdm

from hoisdf_ros.atomic import PARTIAL, write_atomically
from hoisdf_ros.data.shard_labels import cut_out
from hoisdf_ros.data.shards import (
    MANIFEST,
    Recipe,
    is_whole,
    read_recipe,
    shard_path,
    write_shard,
)
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.errors import DataError, reason

Map = Callable[[Callable[[int], int], Iterable[int]], Iterator[int]]
"""Runs a function on numbers, in any order, and gives its results: numbers of samples done."""


@dataclass(frozen=True)
class Made:
    """What a run has done: samples made, and samples that were there already."""

    new: int
    kept: int


def write_shards(folder: Path, recipe: Recipe, workers: int = 1) -> Made:
    """Make what a folder lacks of a recipe: grasps first, then shards.

    Args:
        folder: Is made if need be; one that holds another set is refused.
        recipe: What it is to hold.
        workers: Processes; 1 works in this one.

    Raises:
        DataError: The folder holds another set, the disk is full, or a worker died.
    """
    _claim(folder, recipe)
    todo = [k for k in range(recipe.num_shards) if not is_whole(shard_path(folder, k), recipe)]
    new = sum(len(recipe.numbers(shard)) for shard in todo)
    kept = recipe.samples - new
    if not todo:
        return Made(0, kept)
    data = _data_of(recipe)
    with _workers(folder, recipe, workers) as run:
        _show("grasps", data.bank.missing(), len(data.bank), run, _Task.grasps)
        _show("samples", todo, recipe.samples, run, _Task.shard, kept)
    return Made(new, kept)


def _claim(folder: Path, recipe: Recipe) -> None:
    """Put the manifest there, or check the one that is; remove what a killed run left."""
    if (folder / MANIFEST).is_file():
        there = asdict(read_recipe(folder))
        other = [f"{k} {there[k]}, not {v}" for k, v in asdict(recipe).items() if there[k] != v]
        if other:
            raise DataError(
                f"'{folder}' holds another set ({'; '.join(other)}): choose another --out, or "
                "delete it"
            )
    text = json.dumps(asdict(recipe), indent=2) + "\n"

    def write(file: BinaryIO) -> None:
        file.write(text.encode())

    with _disk_errors(folder):
        write_atomically(folder / MANIFEST, write)
        for left in folder.glob(f"*{PARTIAL}"):
            left.unlink()


def _data_of(recipe: Recipe) -> SyntheticData:
    return SyntheticData(recipe.split, recipe.samples, recipe.seed, grasps=recipe.grasps)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that says what to do."""
    try:
        yield
    except OSError as error:
        try:
            free = f"{shutil.disk_usage(folder).free / 1e6:.0f} MB free"
        except OSError:
            free = "folder not readable"
        raise DataError(
            f"cannot write to '{folder}' ({error.strerror or reason(error)}; {free}): free some "
            "space or fix its permissions, then run the same command again; what is whole is kept"
        ) from error


class _Task:
    """What one process works with."""

    folder: Path
    recipe: Recipe
    data: SyntheticData

    @classmethod
    def start(cls, folder: Path, recipe: Recipe) -> None:
        """Get ready; nothing is drawn yet."""
        cls.folder, cls.recipe, cls.data = folder, recipe, _data_of(recipe)

    @classmethod
    def grasps(cls, chunk: int) -> int:
        """Make some of the bank's grasps."""
        return len(cls.data.bank.chunk(chunk))

    @classmethod
    def shard(cls, shard: int) -> int:
        """Make a shard."""
        samples = [cut_out(cls.data[index]) for index in cls.recipe.numbers(shard)]
        with _disk_errors(cls.folder):
            write_atomically(
                shard_path(cls.folder, shard),
                lambda file: write_shard(file, samples, cls.recipe),
            )
        return len(samples)


def _start_worker(folder: Path, recipe: Recipe) -> None:
    """One core each, and no life after the parent's."""
    os.environ["LP_NUM_THREADS"] = "1"  # Mesa's software renderer
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    _Task.start(folder, recipe)


@contextmanager
def _workers(folder: Path, recipe: Recipe, count: int) -> Iterator[Map]:
    """Something that runs tasks: this process, or several."""
    if count == 1:
        _Task.start(folder, recipe)
        yield map
        _Task.data.close()
        return
    pool = ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), _start_worker, (folder, recipe)
    )

    def run(task: Callable[[int], int], numbers: Iterable[int]) -> Iterator[int]:
        for done in as_completed([pool.submit(task, number) for number in numbers]):
            yield done.result()

    try:
        yield run
    except BrokenProcessPool as error:
        raise DataError(
            f"a worker of {count} died, killed or out of memory: run the same command again, "
            "perhaps with fewer --workers; what is whole is kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _show(
    what: str,
    numbers: list[int],
    total: int,
    run: Map,
    task: Callable[[int], int],
    done: int | None = None,
) -> None:
    """Run a task on numbers behind a progress bar, where there is a terminal."""
    if done is None:
        done = total - CHUNK * len(numbers)
    with tqdm(total=total, initial=done, unit=what[:-1], desc=what, disable=None) as bar:
        for count in run(task, numbers):
            bar.update(count)
