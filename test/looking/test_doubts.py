"""Hands that are believed, and those that are not."""

from dataclasses import replace

import pytest

from hoisdf_ros.looking.doubts import MIN_MASK, Witness, doubt

FINE = Witness(mask=0.4, box=True, wrist=True, known=True)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"known": False, "mask": MIN_MASK},  # a new hand that depth agrees with
        {"known": False, "wrist": False},  # one that the network's mask shows clearly
        {"wrist": False},  # one that was there before, and still has landmarks
        {"box": False},  # one that landmarks have lost, and depth has not
    ],
)
def test_two_witnesses_are_believed(change: dict[str, float]) -> None:
    assert doubt(replace(FINE, **change)) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mask": MIN_MASK / 2}, "2% of the box, expected 4%"),
        ({"box": False, "wrist": False}, "neither landmarks nor depth"),
        ({"known": False, "wrist": False, "mask": 0.1}, "hand detector only"),
    ],
)
def test_one_alone_is_not_and_it_is_said_why(change: dict[str, float], words: str) -> None:
    assert words in doubt(replace(FINE, **change))  # type: ignore[arg-type]
