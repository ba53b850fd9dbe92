"""Which hand, which object: the pairing of boxes."""

import pytest

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Box, Camera, Detection
from hoisdf_ros.errors import ImageError
from hoisdf_ros.preprocessing.boxes import check_in_image, find_hands, gap, mirrored

HAND = Box(100, 100, 200, 200)
TOUCHING = Box(180, 120, 260, 200)
FAR = Box(500, 100, 560, 200)


def test_each_hand_takes_the_nearest_object_and_no_object_twice() -> None:
    other = Box(210, 100, 300, 200)
    detections = [
        Detection("left_hand", HAND, 0.9),
        Detection("right_hand", other, 0.8),
        Detection("006_mustard_bottle", TOUCHING),
    ]
    regions = find_hands(detections, EstimatorConfig())
    assert [region.side for region in regions] == [Side.LEFT, Side.RIGHT]
    assert regions[0].held == detections[2]
    assert regions[1].held is None


def test_an_object_out_of_reach_is_not_held() -> None:
    detections = [Detection("right_hand", HAND), Detection("can", FAR)]
    (region,) = find_hands(detections, EstimatorConfig())
    assert region.held is None


def test_scores_threshold_order_and_number() -> None:
    detections = [Detection("right_hand", HAND, score) for score in (0.3, 0.6, 0.9, 0.8)]
    regions = find_hands(detections, EstimatorConfig(max_hands=2, score_threshold=0.5))
    assert [region.hand.score for region in regions] == [0.9, 0.8]


def test_settings_override_side_and_object() -> None:
    detections = [Detection("left_hand", HAND, 0.7), Detection("thing", TOUCHING)]
    config = EstimatorConfig(side="right", object_id="003_cracker_box")
    (region,) = find_hands(detections, config)
    assert (region.side, region.side_score) == (Side.RIGHT, 1.0)
    assert region.held is not None
    assert region.held.label == "003_cracker_box"


def test_nothing_detected_is_nothing_found() -> None:
    assert find_hands([], EstimatorConfig()) == []
    assert find_hands([Detection("can", FAR)], EstimatorConfig()) == []


CAMERA = Camera(600, 600, 320, 240, 640, 480)


@pytest.mark.parametrize(
    "box", [(640, 0, 700, 50), (-60, 0, 0, 50), (0, 480, 50, 500), (0, -9, 50, 0)]
)
def test_a_box_beside_the_image_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ImageError, match="outside the 640x480 image"):
        check_in_image(Box(*box), CAMERA)


def test_a_box_over_an_edge_of_the_image_is_not_refused() -> None:
    for box in (Box(-60, -60, 1, 1), Box(639, 479, 700, 500)):
        check_in_image(box, CAMERA)


def test_gap_is_the_distance_between_boxes() -> None:
    assert gap(Box(0, 0, 10, 10), Box(13, 14, 20, 20)) == 5.0
    assert gap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0.0
    assert gap(Box(0, 0, 10, 10), Box(4, 8, 20, 20)) == -2.0


def test_mirroring_twice_is_nothing() -> None:
    assert mirrored(HAND, 640) == Box(439, 100, 539, 200)
    assert mirrored(mirrored(HAND, 640), 640) == HAND
