"""Whether anything is held."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Array, Box
from hoisdf_ros.postprocessing.field_samples import FieldSamples, sample_field
from hoisdf_ros.postprocessing.holding import holding
from hoisdf_ros.postprocessing.object_box import SeenObject

PIXELS = np.zeros((64, 64), dtype=bool)
PIXELS[20:40, 20:40] = True
SEEN = SeenObject(Box(100, 100, 200, 200), PIXELS, float(PIXELS.mean()))
MASK = 0.95 * PIXELS


def _ball(radius: float) -> FieldSamples | None:
    def field(points: Array) -> Array:
        away: Array = np.linalg.norm(points, axis=1) - radius
        return away.clip(-0.03, 0.03)

    return sample_field(field, 0.2)


def _skin(gap: float) -> Array:
    """Points on a plane beside a ball of 5 cm."""
    side = np.linspace(-0.05, 0.05, 9)
    y, z = np.meshgrid(side, side)
    return np.stack([np.full(y.size, 0.05 + gap), y.ravel(), z.ravel()], axis=1)


def test_a_seen_object_that_the_hand_touches_is_held() -> None:
    found = holding(SEEN, MASK, _ball(0.05), _skin(0.0))
    assert found.held
    assert found.score > 0.7
    assert found.gap_m == pytest.approx(0.0, abs=0.003)


def test_an_empty_hand_holds_nothing() -> None:
    found = holding(None, 0.1 * MASK, None, _skin(0.0))
    assert not found.held
    assert found.score < 0.2
    assert np.isnan(found.gap_m)


def test_less_evidence_is_a_lower_score() -> None:
    full = holding(SEEN, MASK, _ball(0.05), _skin(0.0)).score
    far = holding(SEEN, MASK, _ball(0.05), _skin(0.03)).score
    no_field = holding(SEEN, MASK, None, _skin(0.0)).score
    no_mask = holding(None, 0.1 * MASK, _ball(0.05), _skin(0.0)).score
    assert far < full
    assert no_field < full
    assert no_mask < full
    assert not holding(None, 0.1 * MASK, _ball(0.02), _skin(0.03)).held
