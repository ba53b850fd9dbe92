"""One detection per hand."""

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.detection.anchors import Palms, joined
from hoisdf_ros.detection.suppression import distinct_hands, merge_palms, overlaps


def palms(*rows: tuple[float, float, float, float, float]) -> Palms:
    """x, y, width, height, score of each; all points in the middle."""
    table = np.array(rows)
    low = table[:, :2]
    boxes = np.hstack([low, low + table[:, 2:4]])
    points = np.repeat((boxes[:, None, :2] + boxes[:, None, 2:]) / 2, 7, axis=1)
    return Palms(boxes, points, table[:, 4])


def test_overlap_of_known_boxes() -> None:
    boxes = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])
    expected = np.array([[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(overlaps(boxes, boxes), expected)


def test_one_palm_seen_twice_becomes_their_weighted_mean() -> None:
    merged = merge_palms(palms((0, 0, 10, 10, 0.3), (1, 0, 10, 10, 0.9), (50, 0, 10, 10, 0.5)), 0.3)
    np.testing.assert_allclose(merged.scores, [0.9, 0.5])
    np.testing.assert_allclose(merged.boxes, np.array([[0.75, 0, 10.75, 10], [50, 0, 60, 10]]))
    np.testing.assert_allclose(merged.points[0], np.tile([5.75, 5], (7, 1)))


def test_merging_does_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(2)
    found = palms(
        *np.column_stack([rng.uniform(0, 60, (20, 2)), np.full((20, 2), 20), rng.random(20)])
    )
    expected = merge_palms(found, 0.3)
    shuffled = merge_palms(found[rng.permutation(20)], 0.3)
    np.testing.assert_allclose(shuffled.boxes, expected.boxes)
    assert 1 < len(expected) < 20


def test_no_palms_stay_no_palms() -> None:
    assert len(merge_palms(joined([]), 0.3)) == 0


def hand(x: float, y: float = 0.0, size: float = 100.0) -> Array:
    grid = np.stack(np.meshgrid(np.arange(7), np.arange(3)), axis=2).reshape(21, 2)
    return np.array([x, y]) + grid * size / 6


def test_the_better_of_two_views_of_one_hand_is_kept() -> None:
    landmarks = np.stack([hand(0), hand(3), hand(300)])
    assert distinct_hands(landmarks, np.array([0.8, 0.9, 0.7]), 0.25) == [1, 2]


def test_hands_that_touch_are_two() -> None:
    landmarks = np.stack([hand(0), hand(40)])
    assert sorted(distinct_hands(landmarks, np.array([0.8, 0.9]), 0.25)) == [0, 1]
