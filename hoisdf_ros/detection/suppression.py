"""One detection per hand: what overlaps is merged, or all but the best dropped."""

import numpy as np

from hoisdf_ros.datatypes import Array, Box
from hoisdf_ros.detection.anchors import Palms


def overlaps(boxes: Array, other: Array) -> Array:
    """Intersection over union.

    Args:
        boxes: (N, 4) x0, y0, x1, y1.
        other: (M, 4).

    Returns:
        (N, M) in [0, 1].
    """
    low = np.maximum(boxes[:, None, :2], other[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area, other_area = ((b[:, 2:] - b[:, :2]).prod(axis=1) for b in (boxes, other))
    union = area[:, None] + other_area[None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def share(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    return float(overlaps(one.array()[None], other.array()[None])[0, 0])


def merge_palms(palms: Palms, overlap: float) -> Palms:
    """Mean palms, weighted by score, of those that overlap with the best one left.

    MediaPipe's "weighted" non-maximum suppression: many anchors see one palm, and their mean is
    steadier than the best of them.

    Args:
        palms: In any order.
        overlap: Intersection over union above which two boxes are one palm.

    Returns:
        The palms, best first, each with the best score of its group.
    """
    left = palms[np.argsort(-palms.scores, kind="stable")]
    merged: list[tuple[Array, Array, float]] = []
    while len(left):
        same = overlaps(left.boxes[:1], left.boxes)[0] > overlap
        same[0] = True  # whatever its box is
        group = left[same]
        weights = group.scores / group.scores.sum()
        mean_box, mean_points = weights @ group.boxes, np.tensordot(weights, group.points, 1)
        merged.append((mean_box, mean_points, float(group.scores[0])))
        left = left[~same]
    if not merged:
        return palms
    boxes, points, scores = zip(*merged, strict=True)
    return Palms(np.stack(boxes), np.stack(points), np.array(scores))


def distinct_hands(landmarks: Array, scores: Array, apart: float) -> list[int]:
    """The best of those hands that lie on top of each other.

    Clasped hands share their box but not their landmarks, so the distance of these decides.

    Args:
        landmarks: (N, 21, 2) pixels.
        scores: (N,), higher is better.
        apart: Hands are two if their landmarks' mean distance is larger than this share of the
            smaller hand's size.

    Returns:
        Indices to keep, best first.
    """
    sizes = np.ptp(landmarks, axis=1).max(axis=1, initial=0)
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable").tolist():
        distances = np.linalg.norm(landmarks[kept] - landmarks[index], axis=2).mean(axis=1)
        if (distances > apart * np.minimum(sizes[kept], sizes[index])).all():
            kept.append(index)
    return kept
