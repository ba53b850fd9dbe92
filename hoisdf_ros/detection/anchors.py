"""From the palm network's numbers to palms in pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array
from hoisdf_ros.detection.palm import PALM_INPUT_SIZE, STRIDES_AND_ANCHORS, VALUES_PER_ANCHOR

WRIST_POINT, MIDDLE_POINT = 0, 2
"""Among a palm's seven points: the wrist, and the knuckle of the middle finger."""

_MAX_LOGIT = 100.0


@dataclass(frozen=True, eq=False)
class Palms:
    """Palms as the network sees them; N may be 0.

    Args:
        boxes: (N, 4) x0, y0, x1, y1, pixels.
        points: (N, 7, 2) wrist, knuckles of index, middle, ring and little finger, and two of
            the thumb, pixels.
        scores: (N,) in [0, 1].
    """

    boxes: Array
    points: Array
    scores: Array

    def __getitem__(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> "Palms":
        return Palms(self.boxes[which], self.points[which], self.scores[which])

    def __len__(self) -> int:
        return len(self.scores)


def anchor_centres() -> Array:
    """(2016, 2) centres of the anchors, input pixels, in the order of the network's rows."""
    layers = []
    for stride, count in STRIDES_AND_ANCHORS:
        places = (np.arange(PALM_INPUT_SIZE // stride) + 0.5) * stride
        y, x = np.meshgrid(places, places, indexing="ij")
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(layers)


def decode(
    values: NDArray[np.float32], logits: NDArray[np.float32], threshold: float, to_image: Array
) -> Palms:
    """The palms that the network is sure enough of.

    Args:
        values: (2016, 18), logits (2016,): of one image, see `PalmNetwork`.
        logits: See there.
        threshold: Lowest score, in [0, 1].
        to_image: (2, 3) image-from-input, pixels; it may scale and shift.

    Returns:
        Palms in the image, one for every anchor that saw one: suppress them.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -_MAX_LOGIT, _MAX_LOGIT)))
    sure = scores >= threshold
    centres = anchor_centres()[sure] - 0.5  # from edges at whole numbers to pixel centres there
    rows = values[sure].astype(np.float64).reshape(-1, VALUES_PER_ANCHOR // 2, 2)
    middle, half, points = rows[:, 0] + centres, rows[:, 1] / 2, rows[:, 2:] + centres[:, None]
    corners = np.stack([middle - half, middle + half], axis=1)  # (N, 2, 2)
    scale, shift = np.diag(to_image), to_image[:, 2]
    return Palms((corners * scale + shift).reshape(-1, 4), points * scale + shift, scores[sure])


def joined(several: list[Palms]) -> Palms:
    """Palms of several parts of one image, or of none."""
    none = Palms(np.empty((0, 4)), np.empty((0, 7, 2)), np.empty(0))
    several = [none, *several]
    return Palms(
        np.concatenate([palms.boxes for palms in several]),
        np.concatenate([palms.points for palms in several]),
        np.concatenate([palms.scores for palms in several]),
    )
