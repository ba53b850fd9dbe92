"""Which pieces of a mask count, and the box of a hand by mask and pose."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array, Box
from hoisdf_ros.postprocessing.hand_box import box_of_hand
from hoisdf_ros.postprocessing.mask_pieces import box_around, pieces_at
from test.postprocessing.masks import hand_and_thing, window


def test_speckles_and_things_elsewhere_do_not_count_but_parted_pieces_do() -> None:
    hand, thing = hand_and_thing()
    clean = pieces_at(hand > 0.5, thing > 0.5)
    parted = thing.copy()
    parted[:, 38:40] = 0.0  # a finger in front
    assert not np.array_equal(pieces_at(hand > 0.5, parted > 0.5), parted > 0.5)
    hand[24:34, 38:40] = 0.9
    assert np.array_equal(pieces_at(hand > 0.5, parted > 0.5), parted > 0.5)
    thing[41, 20] = thing[36, 31] = 0.9  # speckles at the hand
    thing[0:8, 56:64] = 0.9  # another thing, far away
    np.testing.assert_array_equal(pieces_at(hand > 0.5, thing > 0.5), clean)


def test_without_a_hand_the_largest_piece_counts() -> None:
    hand, thing = hand_and_thing()
    thing[50:53, 5:8] = 0.9
    seen = pieces_at(np.zeros_like(hand, dtype=bool), thing > 0.5)
    assert seen[24:34, 30:50].all()


def test_without_a_pixel_there_is_no_box() -> None:
    assert box_around(np.zeros((64, 64), dtype=bool), window(mirrored=False), 640) is None


LOOKED_FOR = Box(16, 36, 64, 84)  # pixels of the crop, twice those of the mask


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_hand_is_where_the_mask_shows_it(*, mirrored: bool) -> None:
    hand, other = hand_and_thing()
    box = box_of_hand(np.maximum(hand, 0.4), LOOKED_FOR, window(mirrored=mirrored), 640, None)
    assert box is not None
    # pixel u of the mask is pixel 4 u + 200 of the image, x mirrored in a mirrored one
    x0, x1 = 4 * 9.5 + 200, 4 * 29.5 + 200
    expected = (639 - x1, 639 - x0) if mirrored else (x0, x1)
    np.testing.assert_allclose(box.array(), [expected[0], 4 * 19.5 + 100, expected[1], 258])
    other[:, :40] = 0.0  # another hand's, a little way off
    seen = np.maximum(hand, other)
    assert box_of_hand(seen, LOOKED_FOR, window(mirrored=mirrored), 640, None) == box


def test_a_believed_pose_adds_what_something_hides() -> None:
    hand, _ = hand_and_thing()
    joints: Array = np.array([[250.0, 190.0], [330.0, 210.0]])
    box = box_of_hand(hand, LOOKED_FOR, window(mirrored=False), 640, joints)
    assert box is not None
    np.testing.assert_allclose(box.array(), [238, 178, 330, 258])
    joints[0, 0] = np.nan  # behind the camera
    assert box_of_hand(hand, LOOKED_FOR, window(mirrored=False), 640, joints) == box_of_hand(
        hand, LOOKED_FOR, window(mirrored=False), 640, None
    )


def test_where_no_hand_is_seen_there_is_no_box() -> None:
    hand, _ = hand_and_thing()
    elsewhere = Box(100, 100, 120, 120)
    assert box_of_hand(hand, elsewhere, window(mirrored=False), 640, np.zeros((21, 2))) is None
