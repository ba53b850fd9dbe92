"""How large a hand looks: what is looked at, and what is made of it."""

import pytest
import torch

from hoisdf_ros.network.hand_size import HandSize, summary
from hoisdf_ros.network.io import ImageFeatures

CHANNELS = (3, 4, 5, 6, 7)


def _features(size: int = 64, batch: int = 2, seed: int = 0) -> ImageFeatures:
    make = torch.Generator().manual_seed(seed)
    pyramid = tuple(
        torch.rand(batch, width, size >> level, size >> level, generator=make)
        for level, width in enumerate(CHANNELS)
    )
    hand = torch.zeros(batch, 1, size, size)
    hand[:, :, 16:48, 24:40] = 1.0
    return ImageFeatures(pyramid, torch.rand(batch, 1, size, size, generator=make), hand, hand * 0)


def _shape(features: ImageFeatures) -> torch.Tensor:
    return summary(features)[:, 2 * sum(CHANNELS) :]


def test_every_image_is_told_in_the_same_numbers_alone_or_beside_others() -> None:
    together = _features()
    seen = summary(together)
    assert seen.shape == (2, 2 * sum(CHANNELS) + 7)
    second = ImageFeatures(
        tuple(level[1:] for level in together.pyramid), *(part[1:] for part in together[1:])
    )
    torch.testing.assert_close(summary(second)[0], seen[1])


def test_the_means_over_the_hand_are_those_of_its_pixels() -> None:
    features = _features()
    inside = features.pyramid[0][..., 16:48, 24:40].mean(dim=(2, 3))
    torch.testing.assert_close(summary(features)[:, :3], inside, rtol=1e-4, atol=1e-4)


def test_a_larger_mask_is_larger_and_a_moved_one_only_elsewhere() -> None:
    features = _features()
    usual = _shape(features)[0]
    moved = _shape(features._replace(hand_mask=features.hand_mask.roll(5, dims=3)))[0]
    assert moved[1] - usual[1] == pytest.approx(5 * 2 / 63, abs=1e-4)
    torch.testing.assert_close(moved[[0, 2, 3, 4]], usual[[0, 2, 3, 4]], rtol=1e-4, atol=1e-4)
    hand = features.hand_mask.clone()
    hand[:, :, 8:56, 16:48] = 1.0
    assert _shape(features._replace(hand_mask=hand))[0][0] > usual[0] + 0.9


def test_no_hand_at_all_gives_numbers_all_the_same() -> None:
    features = _features()
    nothing = features._replace(hand_mask=features.hand_mask * 0)
    assert summary(nothing).isfinite().all()


def test_half_precision_features_are_read_in_single() -> None:
    features = _features()
    half = ImageFeatures(
        tuple(level.half() for level in features.pyramid), *(part.half() for part in features[1:])
    )
    torch.testing.assert_close(summary(half), summary(features), rtol=1e-2, atol=1e-2)


def test_what_is_far_from_anything_seen_is_no_reason_to_say_anything() -> None:
    size = HandSize(CHANNELS).eval()
    seen = summary(_features())
    torch.testing.assert_close(size(seen + 1e3), size(seen + 1e6))
    assert size(seen).shape == (2,)
