"""Weights of the scores of naming and of holding, fitted to labelled pictures."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from hoisdf_ros.datatypes import Array
from hoisdf_ros.postprocessing.holding import HoldingWeights
from hoisdf_ros.postprocessing.identity import UNKNOWN, Fit
from hoisdf_ros.postprocessing.naming import CUE_UNITS, NamingWeights, filled

_PRIOR = 0.02  # of the squared weights, so that no cue is trusted without end


def fit_naming(cases: Sequence[tuple[str, Mapping[str, Fit]]]) -> NamingWeights:
    """The likeliest weights of the logit; misfits never speak for a candidate.

    Args:
        cases: Of every picture the true id, `UNKNOWN` for none of the candidates, and the fits;
            pictures without an object, or without fits, are left out.
    """
    used = [(truth, fits) for truth, fits in cases if truth and fits]
    names = [*used[0][1], UNKNOWN]
    cues = np.stack([filled(np.stack([f.cues for f in fits.values()])) for _, fits in used])
    right = np.array([names.index(truth) for truth, _ in used])
    scaled = cues / CUE_UNITS

    def loss(weights: Array) -> float:
        odds = np.concatenate(
            [-scaled @ weights[:-1], np.full((len(used), 1), weights[-1])], axis=1
        )
        top = odds.max(axis=1)
        total = top + np.log(np.exp(odds - top[:, None]).sum(axis=1))
        return float((total - odds[np.arange(len(used)), right]).mean() + _PRIOR * _square(weights))

    bounds = [(0.0, None)] * scaled.shape[2] + [(None, 0.0)]
    found = minimize(loss, np.append(np.ones(scaled.shape[2]), -5.0), bounds=bounds)
    return NamingWeights(found.x[:-1], float(found.x[-1]))


def fit_holding(cues: Array, held: NDArray[np.bool_]) -> HoldingWeights:
    """Logistic regression of cues on whether something is held.

    Both answers weigh the same, however rare they are.

    Args:
        cues: (N, 4) of `HOLDING_CUES`.
        held: (N,) the truth.
    """
    signs = np.where(held, 1.0, -1.0)
    share = np.where(held, 0.5 / max(held.sum(), 1), 0.5 / max((~held).sum(), 1))

    def loss(weights: Array) -> float:
        odds = signs * (cues @ weights[:-1] + weights[-1])
        return float(share @ np.logaddexp(0.0, -odds) + _PRIOR / 10 * _square(weights))

    found = minimize(loss, np.zeros(cues.shape[1] + 1))
    return HoldingWeights(found.x[:-1], float(found.x[-1]))


def _square(weights: Array) -> float:
    return float(np.square(weights[:-1]).mean())
