"""Shards: what was put in comes out; what is damaged or missing is named, with the remedy."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.data.sample import Sample
from hoisdf_ros.data.shard_labels import cut_out
from hoisdf_ros.data.shard_writer import write_shards
from hoisdf_ros.data.shards import (
    LABELS,
    MANIFEST,
    Recipe,
    ShardData,
    is_whole,
    read_recipe,
    shard_path,
)
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_grasps import CHUNK
from hoisdf_ros.errors import DataError
from hoisdf_ros.geometry.camera import project

RECIPE = Recipe("train", 7, 10, CHUNK, depth=True, generator=1, shard_size=4)


@pytest.fixture(scope="module")
def made(synthetic: SyntheticData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert len(synthetic) >= RECIPE.samples
    folder = tmp_path_factory.mktemp("shards")
    write_shards(folder, RECIPE)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    for file in made.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_what_was_put_in_comes_out(made: Path, synthetic: SyntheticData) -> None:
    data = ShardData(made)
    assert len(data) == 10
    assert data.keys == synthetic.keys[:10]
    for index in range(10):
        want, got = cut_out(synthetic[index]), data[index]
        assert (got.key, got.side, got.object_id) == (want.key, want.side, want.object_id)
        assert data.usable(index) == synthetic.usable(index)
        assert got.camera == want.camera
        assert np.abs(got.image.astype(int) - want.image).mean() < 6  # JPEG of a noisy picture
        for name in ("joints", "hand_root", "object_rotation", "object_translation"):
            one, two = getattr(got, name), getattr(want, name)
            assert (one is None) == (two is None)
            if one is not None:
                np.testing.assert_allclose(one, two, atol=1e-6)
        assert got.mano is not None
        assert want.mano is not None
        np.testing.assert_allclose(got.mano.pose, want.mano.pose, atol=1e-6)
        np.testing.assert_array_equal(got.hand_mask, want.hand_mask)
        assert (got.object_mask is None) == (want.object_mask is None)
        assert got.depth is not None
        assert want.depth is not None
        np.testing.assert_allclose(got.depth, want.depth, atol=0.0003)


def test_a_cut_out_is_the_same_scene(synthetic: SyntheticData) -> None:
    for index in range(6):
        whole = synthetic[index]
        part = cut_out(whole)
        assert part.joints is not None
        shift = project(part.joints, whole.camera) - project(part.joints, part.camera)
        (x, y), height, width = np.round(shift[0]).astype(int), *part.image.shape[:2]
        np.testing.assert_allclose(shift, np.tile([x, y], (21, 1)), atol=1e-9)
        window = (slice(y, y + height), slice(x, x + width))
        np.testing.assert_array_equal(part.image, whole.image[window])
        assert part.hand_mask is not None
        assert whole.hand_mask is not None
        assert part.hand_mask.sum() == whole.hand_mask.sum()


def test_nothing_to_cut_out(synthetic: SyntheticData) -> None:
    bare = Sample("k", synthetic[0].image, synthetic[0].camera)
    with pytest.raises(DataError, match="'k' has no hand"):
        cut_out(bare)


def read_all(folder: Path) -> list[Sample]:
    data = ShardData(folder)
    return [data[index] for index in range(len(data))]


@pytest.mark.parametrize("place", [0.02, 0.3, 0.6, 0.9])
def test_a_flipped_byte_is_never_taken_for_good(folder: Path, place: float) -> None:
    path = shard_path(folder, 0)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    path.write_bytes(content)
    assert not is_whole(path, RECIPE)
    with pytest.raises(DataError, match=r"shard-00000.zip is damaged .*hoisdf data synth --out"):
        read_all(folder)


def test_a_short_file_is_named_and_others_can_be_read(folder: Path) -> None:
    path = shard_path(folder, 1)
    path.write_bytes(path.read_bytes()[:20000])
    data = ShardData(folder)
    assert data[0].joints is not None
    with pytest.raises(DataError, match=r"shard-00001.zip is damaged .*--seed 7"):
        data[5]
    with pytest.raises(DataError, match=r"shard-00001.zip is damaged"):
        assert data.keys


def test_a_shard_of_another_set_is_refused(folder: Path) -> None:
    (folder / MANIFEST).write_text(json.dumps({**vars(RECIPE), "seed": 8}))
    with pytest.raises(DataError, match="belongs to another set"):
        ShardData(folder)[0]
    assert not is_whole(shard_path(folder, 0), replace(RECIPE, seed=8))


def test_pickled_labels_are_refused_without_advice_to_trust_them(folder: Path) -> None:
    with zipfile.ZipFile(shard_path(folder, 0)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    hostile = BytesIO()
    np.savez(hostile, key=np.array([{}], dtype=object))
    with zipfile.ZipFile(shard_path(folder, 0), "w") as archive:
        for name, content in members.items():
            archive.writestr(name, hostile.getvalue() if name == LABELS else content)
    with pytest.raises(DataError, match=r"array 'key' holds Python objects.* makes it again") as no:
        ShardData(folder)[0]
    assert "allow_pickle" not in str(no.value)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    shard_path(folder, 1).unlink()
    with pytest.raises(DataError, match=r"lacks 1 of 3 shards, first shard-00001.zip.*--depth"):
        ShardData(folder)
    with pytest.raises(DataError, match=r"holds no manifest.json"):
        ShardData(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is damaged"),
        ('{"split": "train"}', "is damaged"),
        (json.dumps({**vars(RECIPE), "format": 99}), "format 99, expected 1"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=message):
        read_recipe(tmp_path)


def test_any_tool_opens_a_shard(made: Path) -> None:
    with zipfile.ZipFile(shard_path(made, 2)) as archive:
        assert len(archive.namelist()) == 2 + 3 * len(RECIPE.numbers(2))
        labels = np.load(BytesIO(archive.read(LABELS)))
        assert labels["joints"].shape == (2, 21, 3)


def test_numbers_outside_are_refused(made: Path) -> None:
    with pytest.raises(IndexError):
        ShardData(made)[10]
    assert ShardData(made)[-1].key == ShardData(made).keys[9]
