"""From the network's numbers to palms."""

import numpy as np

from hoisdf_ros.detection.anchors import anchor_centres, decode, joined

ANCHORS = 2016


def test_anchors_lie_row_by_row_two_then_six_a_cell() -> None:
    centres = anchor_centres()
    assert centres.shape == (ANCHORS, 2)
    assert centres[:6].tolist() == [[4, 4], [4, 4], [12, 4], [12, 4], [20, 4], [20, 4]]
    coarse = centres[2 * 24 * 24 :]
    assert (coarse[:6] == [8, 8]).all()
    assert coarse[6].tolist() == [24, 8]
    assert coarse[6 * 12].tolist() == [8, 24]


def test_a_palm_is_decoded_around_its_anchor() -> None:
    values, logits = np.zeros((ANCHORS, 18), np.float32), np.full(ANCHORS, -9, np.float32)
    values[2, :4] = 1, 2, 30, 20  # at (12, 4)
    values[2, 4:6] = -3, 5
    logits[2] = 2
    to_image = np.array([[2.0, 0, 100], [0, 3, 200]])
    palms = decode(values, logits, 0.5, to_image)
    assert len(palms) == 1
    np.testing.assert_allclose(palms.scores, 1 / (1 + np.exp(-2)), rtol=1e-6)
    # (12, 4) + (1, 2), half a pixel less as a pixel centre, minus and plus (15, 10)
    corners = np.array([[-2.5, -4.5], [27.5, 15.5]]) * (2, 3) + (100, 200)
    np.testing.assert_allclose(palms.boxes[0], corners.ravel())
    np.testing.assert_allclose(palms.points[0, 0], np.array([8.5, 8.5]) * (2, 3) + (100, 200))
    np.testing.assert_allclose(palms.points[0, 6], np.array([11.5, 3.5]) * (2, 3) + (100, 200))


def test_what_is_below_the_threshold_is_left_out() -> None:
    values, logits = np.zeros((ANCHORS, 18), np.float32), np.linspace(-500, 500, ANCHORS)
    palms = decode(values, logits.astype(np.float32), 0.5, np.eye(2, 3))
    assert len(palms) == ANCHORS // 2
    assert np.isfinite(palms.scores).all()


def test_nothing_joined_is_nothing() -> None:
    assert len(joined([])) == 0
    assert joined([]).points.shape == (0, 7, 2)
