"""From how every candidate fits to a name with a probability, frame after frame.

A conditional logit (McFadden 1974): misfits, weighted and negated, are the logarithms of the
candidates' odds; that the object is none of them has constant odds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.identity import CUES, UNKNOWN, Fit

MIN_SCORE = 0.5
"""An object less likely than this is not named."""

CUE_UNITS = np.array([0.005, 0.005, 0.005, 0.01, 0.2, 0.2])
"""What a weight of 1 is for: 5 mm, of `said` 10; a fifth of the outline, of the colours."""

NEUTRAL_COLOUR = 0.5
"""Colour misfit where there is nothing to compare."""

_INDEPENDENT = 3.0
"""Frames of one scene err alike: however many there are, they count as so many."""

_MEMORY = 12.0
"""Frames after which an opinion counts a third."""


@dataclass(frozen=True, eq=False)
class NamingWeights:
    """Weights of the logit.

    Args:
        cues: (6,) of `CUES` in `CUE_UNITS`.
        unknown: Logarithm of the odds that it is none of the candidates.
    """

    cues: Array
    unknown: float


WITH_DEPTH = NamingWeights(np.array([0.251, 0.057, 0.496, 0.151, 1.197, 2.384]), -10.16)
"""Fitted to what the packaged weights say of 240 pictures of the validation split, by ``python -m
hoisdf_ros.bench.held_objects --weights demo --split val --pictures 240 --fit``."""

WITHOUT_DEPTH = NamingWeights(np.array([0.107, 0.574, 0.0, 0.149, 0.171, 2.65]), -9.13)
"""Fitted to what earlier packaged weights said of 120 of them. A fit to the present ones calls more
unknown objects by a name."""


@dataclass(frozen=True)
class Named:
    """Which object it is.

    Args:
        object_id: `postprocessing.identity.UNKNOWN` when no known object is likely enough.
        score: Probability of that, in [0, 1].
        runner_up_id: The next best known object; empty when there is none.
        runner_up_score: Its probability.
    """

    object_id: str
    score: float
    runner_up_id: str
    runner_up_score: float


def log_odds(fits: Mapping[str, Fit]) -> dict[str, float]:
    """Of every candidate and of `UNKNOWN`, up to a common constant.

    Args:
        fits: At least one candidate's.
    """
    cues = np.stack([fit.cues for fit in fits.values()])
    measured = CUES.index("measured")
    with_depth = bool(np.isfinite(cues[:, measured]).all())
    weights = WITH_DEPTH if with_depth else WITHOUT_DEPTH
    odds = dict(zip(fits, -(filled(cues) / CUE_UNITS) @ weights.cues, strict=True))
    return {name: float(value) for name, value in odds.items()} | {UNKNOWN: weights.unknown}


def filled(cues: Array) -> Array:
    """(N, 6) with numbers for what could not be compared."""
    neutral = np.zeros(len(CUES))
    neutral[CUES.index("colour")] = NEUTRAL_COLOUR
    numbers: Array = np.where(np.isnan(cues), neutral, cues)
    return numbers


def name_it(odds: Mapping[str, float]) -> Named:
    """The likeliest object.

    Args:
        odds: Logarithms, as `log_odds` gives them.
    """
    values = np.array(list(odds.values()))
    chances = np.exp(values - values.max())
    chance = dict(zip(odds, (chances / chances.sum()).tolist(), strict=True))
    known = sorted((name for name in odds if name != UNKNOWN), key=lambda name: -chance[name])
    best = known[0]
    if chance[best] < MIN_SCORE:
        return Named(UNKNOWN, 1.0 - chance[best], best, chance[best])
    second = known[1] if len(known) > 1 else ""
    return Named(best, chance[best], second, chance[second] if second else 0.0)


@dataclass(frozen=True)
class NameVotes:
    """What the frames of one track say together; old ones fade. Start afresh when it lets go.

    Args:
        odds: Sum of the frames' logarithms, faded.
        weight: Sum of their weights.
    """

    odds: tuple[tuple[str, float], ...] = ()
    weight: float = 0.0

    def plus(self, odds: Mapping[str, float]) -> "NameVotes":
        """One more frame, as `log_odds` gives it, of the same candidates."""
        fade = 1.0 - 1.0 / _MEMORY
        past = dict(self.odds)
        best = max(odds.values())
        total = {name: fade * past.get(name, 0.0) + odds[name] - best for name in odds}
        return NameVotes(tuple(total.items()), fade * self.weight + 1.0)

    def named(self) -> Named | None:
        """The likeliest object; None before the first frame."""
        if not self.odds:
            return None
        scale = min(self.weight, _INDEPENDENT) / self.weight
        return name_it({name: scale * value for name, value in self.odds})
