"""The splits of 1000 sequences of 8 cameras, counted."""

import itertools

import pytest

from hoisdf_ros.data.dexycb_splits import SERIALS, SPLITS, SUBJECTS, split_named
from hoisdf_ros.errors import DataError

Clip = tuple[int, int, int]


def clips(name: str) -> set[Clip]:
    split = split_named(name)
    return set(itertools.product(split.subjects, split.sequences, split.cameras))


def test_there_are_ten_people_and_eight_cameras_in_sorted_order() -> None:
    assert len(SUBJECTS) == 10
    assert sorted(SUBJECTS) == list(SUBJECTS)
    assert len(SERIALS) == 8
    assert sorted(SERIALS) == list(SERIALS)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("s0-train", 800 * 8),
        ("s0-val", 40 * 8),
        ("s0-test", 160 * 8),
        ("s1-train", 700 * 8),
        ("s1-val", 100 * 8),
        ("s1-test", 200 * 8),
        ("s2-train", 1000 * 6),
        ("s2-val", 1000),
        ("s2-test", 1000),
        ("s3-train", 750 * 8),
        ("s3-val", 100 * 8),
        ("s3-test", 150 * 8),
    ],
)
def test_each_split_has_its_share_of_the_clips(name: str, count: int) -> None:
    assert len(clips(name)) == count


@pytest.mark.parametrize("setup", ["s0", "s1", "s2", "s3"])
def test_the_parts_share_nothing_and_leave_nothing_out(setup: str) -> None:
    parts = [clips(f"{setup}-{part}") for part in ("train", "val", "test")]
    assert sum(map(len, parts)) == 8000
    assert len(set.union(*parts)) == 8000


def test_s0_holds_back_the_last_take_and_s3_whole_objects() -> None:
    assert {i % 5 for i in SPLITS["s0-test"].sequences} == {4}
    assert SPLITS["s3-val"].sequences == (15, 16, 17, 18, 19, 95, 96, 97, 98, 99)
    assert {i // 5 for i in SPLITS["s3-test"].sequences} == {7, 11, 15}


def test_an_unknown_split_is_named() -> None:
    with pytest.raises(DataError, match="no split 's4-train', expected one of s0-train"):
        split_named("s4-train")
