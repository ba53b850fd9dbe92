"""Where a hand is in the image once the network has looked: better than where it was looked for.

The network is given the box around the joints. Its mask shows the hand wherever it lies in the
crop, its pose also what an object hides; landmarks, which the first box comes from, may lie on a
held object.
"""

import numpy as np

from hoisdf_ros.datatypes import Array, Box
from hoisdf_ros.postprocessing.mask_pieces import MASK_THRESHOLD, box_around, pieces_at
from hoisdf_ros.postprocessing.sight import MAP_STRIDE, Window


def box_of_hand(
    mask: Array, looked_for: Box, window: Window, width: int, pixels: Array | None
) -> Box | None:
    """The box around what the mask shows of a hand, and around its pose.

    Args:
        mask: (S/2, S/2) the network's probabilities.
        looked_for: Where the hand was expected, pixels of the crop; pieces of the mask elsewhere
            are another hand's.
        window: How the network's crop lies in the image.
        width: Of the image, pixels.
        pixels: (21, 2) the posed joints in the image; None when the pose is not believed.

    Returns:
        Pixels of the image, not clipped to it; None where the mask shows no hand.
    """
    place = np.zeros(mask.shape, dtype=np.bool_)
    low, high = (looked_for.array().reshape(2, 2) / MAP_STRIDE).clip(0, len(mask)).astype(int)
    place[low[1] : high[1] + 1, low[0] : high[0] + 1] = True
    seen = box_around(pieces_at(place, mask > MASK_THRESHOLD), window, width)
    if seen is None or pixels is None or not np.isfinite(pixels).all():
        return seen
    corners = np.vstack([seen.array().reshape(2, 2), pixels])
    return Box(*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
