"""The names of data sets: one grammar, and what is said of names outside it."""

from pathlib import Path

import pytest

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.by_name import (
    TO_MEASURE,
    TO_TRAIN,
    Choice,
    DataName,
    open_named,
    parse_name,
    training_part,
)
from hoisdf_ros.errors import ConfigError, DataError

ROOT = "/data/set"


@pytest.mark.parametrize(
    ("text", "folder", "expected"),
    [
        ("synthetic", "", DataName("synthetic", "test")),
        ("synthetic:validation", "", DataName("synthetic", "val")),
        ("synthetic:val", "", DataName("synthetic", "val")),
        ("shards:some/validation", "", DataName("shards", "some/validation")),
        ("shards:validation", "", DataName("shards", "validation")),
        ("dexycb", ROOT, DataName("dexycb", "s0-test", Path(ROOT))),
        ("dexycb:s1-val", ROOT, DataName("dexycb", "s1-val", Path(ROOT))),
        ("dexycb:a:b.json", ROOT, DataName("dexycb", "a:b.json", Path(ROOT))),
        ("ho3d", ROOT, DataName("ho3d", "evaluation", Path(ROOT))),
    ],
)
def test_names(text: str, folder: str, expected: DataName) -> None:
    assert parse_name(text, folder, TO_MEASURE) == expected


@pytest.mark.parametrize(
    ("text", "folder", "message"),
    [
        ("coco", "", r"data 'coco': expected synthetic\[:SPLIT\], shards:FOLDER"),
        ("dexycb:", ROOT, "expected synthetic"),
        ("shards", "", "expected synthetic"),
        ("synthetic:all", "", "synthetic:train, :validation or :test"),
        ("synthetic", ROOT, "leave --data-root out"),
        ("dexycb:s0-test", "", "--data-root or by the environment variable DEX_YCB_DIR"),
        ("ho3d", "", "variable HO3D_DIR"),
    ],
)
def test_other_names_are_refused(
    text: str, folder: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("DEX_YCB_DIR", "HO3D_DIR"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigError, match=message):
        parse_name(text, folder, TO_MEASURE)


def test_the_environment_names_folders_that_the_user_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEX_YCB_DIR", "/data/toolkit")
    assert parse_name("dexycb", "", TO_TRAIN).root == Path("/data/toolkit")
    assert parse_name("dexycb", ROOT, TO_TRAIN).root == Path(ROOT)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        (DataName("dexycb", "s2-test", Path(ROOT)), "s2-train"),
        (DataName("dexycb", "dex_ycb_s0_test_data.json", Path(ROOT)), "s0-train"),
        (DataName("ho3d", "evaluation", Path(ROOT)), "train"),
        (DataName("synthetic", "test"), "train"),
    ],
)
def test_every_split_has_a_training_split(name: DataName, split: str) -> None:
    part = training_part(name)
    assert (part.kind, part.part, part.root) == (name.kind, split, name.root)


def test_synthetic_data_is_as_chosen() -> None:
    data = open_named(DataName("synthetic", "test"), Choice(samples=3, seed=9))
    assert data.samples.keys[-1] == "synthetic/test/9/0000002"
    assert (data.seed, set(data.hands)) == (9, {Side.LEFT, Side.RIGHT})
    assert data.objects.get("shape_ball") is not None


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(samples=0), "0 samples; ask for at least one"),
        (Choice(seed=-1), "seed -1"),
    ],
)
def test_numbers_that_cannot_be(choice: Choice, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_named(DataName("synthetic", "test"), choice)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no manifest\.json"):
        open_named(DataName("shards", str(tmp_path)), Choice())
    with pytest.raises(ConfigError, match="by --hand-model"):
        open_named(DataName("ho3d", "evaluation", tmp_path), Choice())
