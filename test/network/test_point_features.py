"""Projection, encoding and pixel-aligned sampling against slow, plain twins."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hoisdf_ros.network.point_features import positional_encoding, project, sample_pyramid


def test_encoding_puts_sine_before_cosine_and_low_frequencies_first() -> None:
    encoded = positional_encoding(torch.tensor([[[0.1, 0.2, 0.3]]]))[0, 0]
    for band, frequency in enumerate((1, 2, 4, 8, 16)):
        for axis, value in enumerate((0.1, 0.2, 0.3)):
            assert math.isclose(encoded[6 * band + axis], math.sin(frequency * value), abs_tol=1e-6)
            assert math.isclose(
                encoded[6 * band + 3 + axis], math.cos(frequency * value), abs_tol=1e-6
            )


def test_projection_follows_the_pinhole_and_marks_what_is_behind() -> None:
    intrinsics = torch.tensor([[[500.0, 0.0, 120.0], [0.0, 480.0, 130.0], [0.0, 0.0, 1.0]]])
    points = torch.tensor([[[0.1, -0.2, 0.5], [0.1, 0.1, -0.5], [0.0, 0.0, 0.0]]])
    pixels, visible = project(points, intrinsics)
    torch.testing.assert_close(pixels[0, 0], torch.tensor([220.0, -62.0]))
    assert visible.tolist() == [[True, False, False]]
    assert pixels.isfinite().all()


def _bilinear(level: torch.Tensor, x: float, y: float) -> torch.Tensor:
    """Value of one (C, H, W) map at map pixels, clamped to the border."""
    height, width = level.shape[1:]
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    u, v = x - left, y - top
    upper = (1 - u) * level[:, top, left] + u * level[:, top, left + 1]
    lower = (1 - u) * level[:, top + 1, left] + u * level[:, top + 1, left + 1]
    return (1 - v) * upper + v * lower


@settings(deadline=None, max_examples=30)
@given(st.floats(-20, 80), st.floats(-20, 80))
def test_sampling_is_bilinear_on_every_level_with_corners_aligned(x: float, y: float) -> None:
    generator = torch.Generator().manual_seed(0)
    pyramid = tuple(torch.randn(1, c, s, s, generator=generator) for c, s in ((2, 32), (3, 8)))
    sampled = sample_pyramid(pyramid, torch.tensor([[[x, y]]]), image_size=64)[0, 0]
    expected = [
        _bilinear(level[0], x / 63 * (level.shape[-1] - 1), y / 63 * (level.shape[-1] - 1))
        for level in pyramid
    ]
    torch.testing.assert_close(sampled, torch.cat(expected), rtol=1e-3, atol=1e-4)
