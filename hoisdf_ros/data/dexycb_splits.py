"""DexYCB's official splits (Chao et al., CVPR 2021): which subjects, cameras and sequences."""

from dataclasses import dataclass

from hoisdf_ros.errors import DataError

SUBJECTS: tuple[str, ...] = (
    "20200709-subject-01",
    "20200813-subject-02",
    "20200820-subject-03",
    "20200903-subject-04",
    "20200908-subject-05",
    "20200918-subject-06",
    "20200928-subject-07",
    "20201002-subject-08",
    "20201015-subject-09",
    "20201022-subject-10",
)
SERIALS: tuple[str, ...] = (
    "836212060125",
    "839512060362",
    "840412060917",
    "841412060263",
    "932122060857",
    "932122060861",
    "932122061900",
    "932122062010",
)
NUM_SEQUENCES = 100
"""Of each subject; a split takes them by their place in the sorted list."""

_TAKES = 5  # sequences a subject took of each object, one after the other


@dataclass(frozen=True)
class Split:
    """What a split takes, by index.

    Args:
        subjects: Into `SUBJECTS`.
        cameras: Into `SERIALS`.
        sequences: Into the sorted sequences of each subject.
    """

    subjects: tuple[int, ...] = tuple(range(len(SUBJECTS)))
    cameras: tuple[int, ...] = tuple(range(len(SERIALS)))
    sequences: tuple[int, ...] = tuple(range(NUM_SEQUENCES))


def _takes(*wanted: int) -> tuple[int, ...]:
    """Sequences that are such a take of their object."""
    return tuple(i for i in range(NUM_SEQUENCES) if i % _TAKES in wanted)


def _objects(*wanted: int) -> tuple[int, ...]:
    """Sequences of these objects, by their place among a subject's 20."""
    return tuple(i for i in range(NUM_SEQUENCES) if i // _TAKES in wanted)


_UNSEEN_OBJECTS = (3, 7, 11, 15, 19)

SPLITS: dict[str, Split] = {
    # s0: all seen; the last take of each object is held back
    "s0-train": Split(sequences=_takes(0, 1, 2, 3)),
    "s0-val": Split(subjects=(0, 1), sequences=_takes(4)),
    "s0-test": Split(subjects=(2, 3, 4, 5, 6, 7, 8, 9), sequences=_takes(4)),
    # s1: unseen people
    "s1-train": Split(subjects=(0, 1, 2, 3, 4, 5, 9)),
    "s1-val": Split(subjects=(6,)),
    "s1-test": Split(subjects=(7, 8)),
    # s2: unseen views
    "s2-train": Split(cameras=(0, 1, 2, 3, 4, 5)),
    "s2-val": Split(cameras=(6,)),
    "s2-test": Split(cameras=(7,)),
    # s3: unseen grasped objects
    "s3-train": Split(sequences=_objects(*(i for i in range(20) if i not in _UNSEEN_OBJECTS))),
    "s3-val": Split(sequences=_objects(3, 19)),
    "s3-test": Split(sequences=_objects(7, 11, 15)),
}


def split_named(name: str) -> Split:
    """A split by its name.

    Raises:
        DataError: There is no such split.
    """
    try:
        return SPLITS[name]
    except KeyError:
        raise DataError(
            f"DexYCB has no split '{name}', expected one of {', '.join(SPLITS)}, or the path of "
            "a published annotation .json"
        ) from None
