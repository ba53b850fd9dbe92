"""How much an estimate trembles while the hand is at rest: pure functions.

At rest is a hand none of whose true joints moves faster than `REST_M_PER_S`. Of the error of
every joint, wrist included, the mean over `WINDOW_S` around each moment is taken away: what is
left is trembling, neither an offset nor a slow drift. Runs at rest shorter than the window say
nothing.
"""

from collections.abc import Sequence

import numpy as np

from hoisdf_ros.datatypes import Array

REST_M_PER_S = 0.005
WINDOW_S = 0.5


def rest_runs(stamps: Array, joints: Array) -> list[slice]:
    """Runs of frames in which a hand is at rest, each at least `WINDOW_S` long.

    Args:
        stamps: (T,) seconds, increasing.
        joints: (T, 21, 3) true joints, metres, camera frame.
    """
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=2).max(axis=1, initial=0.0)
    quick = np.flatnonzero(steps > REST_M_PER_S * np.diff(stamps))
    starts = np.concatenate([[0], quick + 1])
    ends = np.concatenate([quick + 1, [len(stamps)]])
    return [
        slice(int(a), int(b))
        for a, b in zip(starts, ends, strict=True)
        if b > a and stamps[b - 1] - stamps[a] >= WINDOW_S
    ]


def trembling(stamps: Array, errors: Array) -> Array:
    """What is left of errors of a hand at rest without their slow mean.

    Args:
        stamps: (T,) seconds, increasing; frames may be missing.
        errors: (T, 21, 3) estimated minus true joints, metres; NaN where there is none.

    Returns:
        (T, 21) lengths, metres; NaN where the error is.
    """
    near = np.abs(stamps[:, None] - stamps[None, :]) <= WINDOW_S / 2 + 1e-9
    known = np.isfinite(errors)
    weights = np.einsum("ts,sjc->tjc", near.astype(float), known.astype(float))
    sums = np.einsum("ts,sjc->tjc", near.astype(float), np.where(known, errors, 0.0))
    mean = sums / np.maximum(weights, 1.0)
    left: Array = np.linalg.norm(errors - mean, axis=2)
    return left


def jitter(residuals: Sequence[Array]) -> float | None:
    """Root of the mean square over everything that `trembling` gave, metres; None for nothing."""
    values = np.concatenate([np.zeros(0), *(residual.ravel() for residual in residuals)])
    values = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(values**2))) if len(values) else None
