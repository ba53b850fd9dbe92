"""Whether a hand holds anything: by the object's mask, its field, and how near the hand it is.

The weights were fitted by ``python -m hoisdf_ros.bench.held_objects --split val --spoilt 1 --fit``:
to labels with errors like a small network's. Of objects that lie beside the hand only the gap
tells, so the field must be right to a centimetre there.
"""

from dataclasses import dataclass

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.field_samples import FieldSamples
from hoisdf_ros.postprocessing.object_box import SeenObject

HOLDING_CUES = ("area", "certainty", "volume", "gap")

MIN_SCORE = 0.6
"""Below, nothing is held."""

_FAR_M = 0.03  # as far off as a field can tell
_EDGE_M = 0.1  # of a cube as large as a large object


@dataclass(frozen=True, eq=False)
class HoldingWeights:
    """Weights of a logistic regression, fitted on validation pictures by `bench.held_objects`.

    Args:
        cues: (4,) of `HOLDING_CUES`.
        bias: Logarithm of the odds when all cues are zero.
    """

    cues: Array
    bias: float


WEIGHTS = HoldingWeights(np.array([2.19, 3.06, 0.69, -7.41]), -1.96)


@dataclass(frozen=True)
class Holding:
    """Whether something is held.

    Args:
        score: Probability that it is, in [0, 1].
        gap_m: From the hand's skin to the object's predicted surface, metres, negative inside;
            NaN where there is no such surface.
    """

    score: float
    gap_m: float

    @property
    def held(self) -> bool:
        """The decision."""
        return self.score >= MIN_SCORE


def holding(
    seen: SeenObject | None, certainty: Array, field: FieldSamples | None, skin: Array
) -> Holding:
    """Decide by one frame.

    Args:
        seen: The object that the mask shows at the hand; None when it shows none.
        certainty: (S/2, S/2) the network's probabilities of the object.
        field: The object's field; None when it has no inside.
        skin: (V, 3) vertices of the posed hand in the field's frame, metres.
    """
    cues = holding_cues(seen, certainty, field, skin)
    odds = float(cues @ WEIGHTS.cues + WEIGHTS.bias)
    gap = float(field.grid(skin).min()) if field is not None else float("nan")
    return Holding(1.0 / (1.0 + np.exp(-odds)), gap)


def holding_cues(
    seen: SeenObject | None, certainty: Array, field: FieldSamples | None, skin: Array
) -> Array:
    """What `holding` weighs, see there.

    Returns:
        (4,) `HOLDING_CUES`: root of the share of the mask; mean probability there; edge of a cube
        of the field's volume, in 10 cm; gap between hand and zero level, in 3 cm, at most 1.
    """
    area = np.sqrt(seen.share) if seen is not None else 0.0
    sure = float(certainty[seen.pixels].mean()) if seen is not None else 0.0
    if field is None:
        return np.array([area, sure, 0.0, 1.0])
    gap = float(np.clip(field.grid(skin).min() / _FAR_M, 0.0, 1.0))
    return np.array([area, sure, np.cbrt(field.volume) / _EDGE_M, gap])
