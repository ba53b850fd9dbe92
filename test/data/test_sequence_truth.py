"""Areas and borders that can be counted."""

import numpy as np
import pytest

from hoisdf_ros.data.sequence_truth import outline_area, reaches_into
from hoisdf_ros.datatypes import Box

SQUARE = np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 40.0], [0.0, 40.0]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])


@pytest.mark.parametrize("shift", [(0, 0), (-100, 7), (612.3, 470.8)])
def test_the_area_of_a_square_wherever_it_is(shift: tuple[float, float]) -> None:
    assert outline_area(SQUARE + shift, FACES) == pytest.approx(1600, rel=0.06)


def test_what_lies_twice_counts_once() -> None:
    folded = np.concatenate([FACES, FACES[:, ::-1]])
    assert outline_area(SQUARE, folded) == outline_area(SQUARE, FACES)


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(10, 10, 20, 20), True),
        (Box(-20, 10, 0, 20), True),
        (Box(-20, 10, -1, 20), False),
        (Box(10, 479, 20, 500), True),
        (Box(10, 480, 20, 500), False),
        (Box(-5, -5, 700, 500), True),
    ],
)
def test_boxes_at_the_border(box: Box, inside: bool) -> None:
    assert reaches_into(box, 640, 480) is inside
