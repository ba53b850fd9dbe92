"""Synthetic samples kept in files, a few hundred to each.

A folder holds ``manifest.json`` (a `Recipe`) and ``shard-00000.zip`` and so on, plain zip files
without compression, which any tool opens. Each has, for its samples 000, 001 and so on:

- ``000.jpg``: the picture around hand and object, with room for turning and zooming;
- ``000.png``: 0 beside, 1 on the hand, 2 on the object;
- ``000.depth.png``, if asked for: 16 bits, in steps of `DEPTH_STEP_M`, 0 unknown;
- ``labels.npz``: everything else, a row a sample, NaN where there is no object;
- ``recipe.json``: the manifest once more.
"""

import io
import json
import struct
import zipfile
import zlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.atomic import encoded
from hoisdf_ros.data.sample import Sample
from hoisdf_ros.data.shard_labels import labels_of, sample_of
from hoisdf_ros.data.synthetic_streams import Split
from hoisdf_ros.errors import DataError, NpzError, reason
from hoisdf_ros.npz import read_npz

FORMAT = 1
SHARD_SIZE = 256
MANIFEST, LABELS, RECIPE = "manifest.json", "labels.npz", "recipe.json"
DEPTH_STEP_M = 0.0005

_JPEG_QUALITY = 92
_DAMAGED = (OSError, EOFError, LookupError, TypeError, ValueError, struct.error)
_DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Recipe:
    """All that decides what a folder of shards holds.

    Args:
        split, seed, samples, grasps: As for `SyntheticData`.
        depth: Keep depth maps, which are larger than all the rest.
        generator: `synthetic.GENERATOR_VERSION` of the program that made it.
        shard_size: Samples of a shard; the last may have fewer.
        format: Of the files.
    """

    split: Split
    seed: int
    samples: int
    grasps: int
    depth: bool
    generator: int
    shard_size: int = SHARD_SIZE
    format: int = FORMAT

    @property
    def num_shards(self) -> int:
        """How many files there are when all is done."""
        return -(-self.samples // self.shard_size)

    def numbers(self, shard: int) -> range:
        """The samples of a shard."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.samples))

    def command(self, folder: Path) -> str:
        """What makes, completes or repairs the folder."""
        depth = " --depth" if self.depth else ""
        return (
            f"hoisdf data synth --out {folder} --split {self.split} --samples {self.samples} "
            f"--seed {self.seed} --grasps {self.grasps}{depth}"
        )


def shard_path(folder: Path, shard: int) -> Path:
    """Where a shard is."""
    return folder / f"shard-{shard:05d}.zip"


def read_recipe(folder: Path) -> Recipe:
    """What a folder is meant to hold.

    Raises:
        DataError: There is no manifest, or it is not one.
    """
    path = folder / MANIFEST
    try:
        recipe = Recipe(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise DataError(
            f"'{folder}' holds no {MANIFEST}: expected a folder made by 'hoisdf data synth'"
        ) from error
    except _DAMAGED as error:
        raise DataError(
            f"{path} is damaged ({reason(error)}): delete it and run 'hoisdf data synth' with the "
            "options of the first time; whole shards are kept"
        ) from error
    if recipe.format != FORMAT:
        raise DataError(f"{path}: format {recipe.format}, expected {FORMAT}; make the folder again")
    return recipe


def write_shard(file: BinaryIO, samples: list[Sample], recipe: Recipe) -> None:
    """Write a whole shard; ``samples`` are already cut to what is kept of them."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(RECIPE, json.dumps(asdict(recipe)))
        labels = io.BytesIO()
        arrays: dict[str, Any] = labels_of(samples)
        np.savez(labels, **arrays)
        archive.writestr(LABELS, labels.getvalue())
        for place, sample in enumerate(samples):
            quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
            picture = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
            archive.writestr(f"{place:03d}.jpg", encoded(".jpg", picture, quality))
            archive.writestr(f"{place:03d}.png", encoded(".png", _ids(sample)))
            if recipe.depth and sample.depth is not None:
                steps = np.nan_to_num(sample.depth / DEPTH_STEP_M).round().clip(0, 65535)
                archive.writestr(f"{place:03d}.depth.png", encoded(".png", steps.astype(np.uint16)))


def _ids(sample: Sample) -> NDArray[np.uint8]:
    """(H, W) 1 on the hand, 2 on the object."""
    ids = np.zeros(sample.image.shape[:2], np.uint8)
    for value, mask in ((1, sample.hand_mask), (2, sample.object_mask)):
        if mask is not None:
            ids[mask] = value
    return ids


def is_whole(path: Path, recipe: Recipe) -> bool:
    """Whether a file is an undamaged shard of this recipe; every byte is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None and json.loads(archive.read(RECIPE)) == asdict(recipe)
    except (*_DAMAGED, *_DAMAGED_ZIP):
        return False


class ShardData:
    """A `data.sample.SampleSet` from a folder of shards; safe to share between processes.

    Pictures are cut out of the camera's, and so are their cameras.

    Args:
        folder: Made by ``hoisdf data synth``.

    Raises:
        DataError: The folder is not one of shards, or not all of them are there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.recipe = folder, read_recipe(folder)
        count = self.recipe.num_shards
        missing = [k for k in range(count) if not shard_path(folder, k).is_file()]
        if missing:
            raise DataError(
                f"'{folder}' lacks {len(missing)} of {count} shards, first "
                f"{shard_path(folder, missing[0]).name}; '{self.recipe.command(folder)}' makes "
                "those that are missing"
            )
        self._shards: dict[int, _Shard] = {}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of every sample, in order; reads every shard's labels once."""
        shards = map(self._shard, range(self.recipe.num_shards))
        return tuple(str(key) for shard in shards for key in shard.labels["key"])

    def __len__(self) -> int:
        return self.recipe.samples

    def usable(self, index: int) -> bool:
        """Whether the hand is labelled; what it holds always is."""
        shard, place = self._find(index)
        return bool(shard.labels["side"][place] != Side.UNKNOWN)

    def __getitem__(self, index: int) -> Sample:
        shard, place = self._find(index)
        try:
            return shard.sample(place, depth=self.recipe.depth)
        except (*_DAMAGED, DataError) as error:
            raise self._damaged(shard.path, error) from error

    def _find(self, index: int) -> "tuple[_Shard, int]":
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of a set of {len(self)}")
        shard, place = divmod(index % len(self), self.recipe.shard_size)
        return self._shard(shard), place

    def _shard(self, number: int) -> "_Shard":
        if number not in self._shards:
            path = shard_path(self.folder, number)
            try:
                shard = _Shard(path)
                if shard.recipe != self.recipe:
                    raise ValueError(f"it belongs to another set: {shard.recipe}")
            except (*_DAMAGED, *_DAMAGED_ZIP, NpzError) as error:
                raise self._damaged(path, error) from error
            self._shards[number] = shard
        return self._shards[number]

    def _damaged(self, path: Path, error: BaseException) -> DataError:
        return DataError(
            f"{path} is damaged ({reason(error)}): '{self.recipe.command(self.folder)}' makes it "
            "again and keeps the others"
        )


class _Shard:
    """One file: its labels, and where in it the pictures are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.recipe = Recipe(**json.loads(archive.read(RECIPE)))
            self.labels = read_npz(io.BytesIO(archive.read(LABELS)))
            self._members = {
                info.filename: (info.header_offset, info.file_size, info.CRC)
                for info in archive.infolist()
            }

    def sample(self, place: int, *, depth: bool) -> Sample:
        """The sample at a place; raises what `_DAMAGED` lists."""
        image = cv2.cvtColor(self._picture(f"{place:03d}.jpg", cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        ids = self._picture(f"{place:03d}.png", cv2.IMREAD_GRAYSCALE)
        metres = None
        if depth:
            steps = self._picture(f"{place:03d}.depth.png", cv2.IMREAD_UNCHANGED)
            metres = np.where(steps > 0, steps * np.float32(DEPTH_STEP_M), np.nan)
            metres = metres.astype(np.float32)
        return sample_of(
            self.labels, place, np.asarray(image, dtype=np.uint8), np.asarray(ids), metres
        )

    def _picture(self, name: str, flags: int) -> cv2.typing.MatLike:
        """A picture, read without the zip file's directory, which takes longer than the rest."""
        offset, size, crc = self._members[name]
        with self.path.open("rb") as file:
            file.seek(offset + 26)  # of the lengths of name and extra field in a local header
            file.seek(sum(struct.unpack("<HH", file.read(4))), io.SEEK_CUR)
            content = file.read(size)
        if zlib.crc32(content) != crc:
            raise ValueError(f"{name} is not what was written")
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
        if picture is None:
            raise ValueError(f"{name} is no picture")
        return picture
