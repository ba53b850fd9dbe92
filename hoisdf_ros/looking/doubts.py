"""Whether there is a hand at all: better none than one that is not there."""

from dataclasses import dataclass

from hoisdf_ros.looking.look import Pass
from hoisdf_ros.postprocessing.sight import MAP_STRIDE
from hoisdf_ros.preprocessing.crop import Crop

MIN_MASK = 0.04
"""Share of the hand's box that the network must take for hand; of hands that something hides for
the most part it is more."""

CLEAR_MASK = 0.15
"""From this share on the mask alone is a second witness."""


def mask_share(done: Pass, crop: Crop) -> float:
    """How much of the hand's box the network takes for hand, in [0, 1].

    Args:
        done: A look.
        crop: What the network saw.
    """
    mask = done.masks.hand
    box, (height, width) = crop.hand_box, mask.shape
    x0, y0 = (max(0, int(edge / MAP_STRIDE)) for edge in (box.x0, box.y0))
    x1, y1 = (
        min(size, int(edge / MAP_STRIDE) + 1) for edge, size in ((box.x1, width), (box.y1, height))
    )
    inside = mask[y0:y1, x0:x1]
    return float((inside > 0.5).mean()) if inside.size else 0.0


@dataclass(frozen=True)
class Witness:
    """What speaks for a hand in a frame.

    Args:
        mask: Share of its box that the network takes for hand, in [0, 1].
        box: A box from outside or the landmark network shows it.
        wrist: Its pose agrees with depth, or with the landmarks.
        known: A box from outside shows it, or it was there before.
    """

    mask: float
    box: bool
    wrist: bool
    known: bool


def doubt(witness: Witness) -> str:
    """Why a hand is not to be believed; empty when it is.

    A detector takes other things for hands now and then, so at first a second witness is needed.
    """
    if witness.mask < MIN_MASK:
        return (
            f"left out: the network sees hand in {witness.mask:.0%} of the box, expected "
            f"{MIN_MASK:.0%} or more"
        )
    if not (witness.box or witness.wrist):
        return "left out: neither landmarks nor depth show it where it was expected"
    if not (witness.known or witness.wrist or witness.mask >= CLEAR_MASK):
        return "left out: seen by the hand detector only"
    return ""
