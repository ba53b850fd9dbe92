"""Which hands are in the picture, and which object each of them holds: boxes in pixels.

These are the boxes from outside this package; `tracking` adds those that it finds itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Box, Camera, Detection
from hoisdf_ros.errors import ImageError

HAND_LABELS = {"left_hand": Side.LEFT, "right_hand": Side.RIGHT}

REACH = 0.25
"""An object farther from the hand's box than this share of the box's size is not held."""


@dataclass(frozen=True)
class HandRegion:
    """A hand to look at, and what it holds.

    Args:
        side: Whose side the network is told.
        side_score: Confidence of the side; 1 when a setting says it.
        hand: The hand's detection.
        held: The held object's detection, or None.
        around: What the hand may hold is in here, when no detection says it; None when there is
            nothing to say.
    """

    side: Side
    side_score: float
    hand: Detection
    held: Detection | None
    around: Box | None = None


def find_hands(detections: Sequence[Detection], config: EstimatorConfig) -> list[HandRegion]:
    """The hands worth a forward pass, best first, each with the object nearest to it.

    Args:
        detections: Boxes with labels ``left_hand``, ``right_hand`` or an object id.
        config: Threshold, largest number of hands, side and object id when they are given.

    Returns:
        At most ``config.max_hands`` hands; an object goes to one hand only.
    """
    return with_objects(given_hands(detections, config), detections, config)


def given_hands(detections: Sequence[Detection], config: EstimatorConfig) -> list[HandRegion]:
    """The hands of detections, best first, at most ``config.max_hands``; without objects yet."""
    hands = [
        found
        for found in detections
        if found.label in HAND_LABELS and found.score >= config.score_threshold
    ]
    hands.sort(key=lambda found: -found.score)
    sides = [_side(hand, config) for hand in hands[: config.max_hands]]
    return [HandRegion(*side, hand, None) for side, hand in zip(sides, hands, strict=False)]


def with_objects(
    regions: Sequence[HandRegion], detections: Sequence[Detection], config: EstimatorConfig
) -> list[HandRegion]:
    """Give every hand the nearest object of the detections; an object goes to one hand only.

    Args:
        regions: Hands, wherever they come from; the first chooses first.
        detections: Those with another label than a hand's count.
        config: Threshold, and the object id when it is given.
    """
    objects = [
        replace(found, label=config.object_id or found.label)
        for found in detections
        if found.label not in HAND_LABELS and found.score >= config.score_threshold
    ]
    paired = []
    for region in regions:
        held = _held_by(region.hand.box, objects)
        if held is not None:
            objects.remove(held)
        paired.append(replace(region, held=held))
    return paired


def check_in_image(box: Box, camera: Camera) -> None:
    """Refuse a hand's box that shows nothing of the image.

    Args:
        box: The hand, pixels.
        camera: Of the image.

    Raises:
        ImageError: All of the box lies beside the image.
    """
    beside = box.x1 <= 0 or box.x0 >= camera.width or box.y1 <= 0 or box.y0 >= camera.height
    if beside:
        raise ImageError(
            f"hand box x0, y0, x1, y1 = {box.array().tolist()} lies outside the "
            f"{camera.width}x{camera.height} image: expected pixels of this image; check which "
            "image the detection was made in"
        )


def gap(a: Box, b: Box) -> float:
    """Distance between two boxes, pixels; minus the overlap's smaller edge when they overlap."""
    across = max(a.x0, b.x0) - min(a.x1, b.x1)
    down = max(a.y0, b.y0) - min(a.y1, b.y1)
    if max(across, down) <= 0:
        return max(across, down)
    return float(np.hypot(max(across, 0.0), max(down, 0.0)))


def scaled(box: Box, factor: float) -> Box:
    """The box enlarged so many times about its middle."""
    (cx, cy), (width, height) = box.center, box.size
    half_width, half_height = factor * width / 2, factor * height / 2
    return Box(cx - half_width, cy - half_height, cx + half_width, cy + half_height)


def mirrored(box: Box, width: int) -> Box:
    """The box in the picture mirrored left to right; ``width`` in pixels."""
    return Box(width - 1 - box.x1, box.y0, width - 1 - box.x0, box.y1)


def _held_by(hand: Box, objects: Sequence[Detection]) -> Detection | None:
    reach = REACH * max(hand.size)
    near = [found for found in objects if gap(hand, found.box) <= reach]
    return min(near, key=lambda found: gap(hand, found.box), default=None)


def _side(hand: Detection, config: EstimatorConfig) -> tuple[Side, float]:
    if config.side == "auto":
        return HAND_LABELS[hand.label], hand.score
    return Side[config.side.upper()], 1.0
