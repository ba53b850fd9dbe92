"""Learning how large hands look from a network's features."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hoisdf_ros.config import PACKAGED, EstimatorConfig, NetworkConfig
from hoisdf_ros.data.sample import SampleSet
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.loading import load_network, weights_file
from hoisdf_ros.training.hand_size import Seen, fit, look, main

CHANNELS = (1, 1, 1, 1, 1)
WIDTH = 2 * sum(CHANNELS) + 7


def test_what_a_feature_says_is_learnt() -> None:
    make = torch.Generator().manual_seed(0)
    seen = torch.randn(1200, WIDTH, generator=make) * 3 + 5
    sizes = 6.0 + 0.1 * (seen[:, 2] - 5) + 0.01 * torch.randn(1200, generator=make)
    size = fit(Seen(seen[:1000], sizes[:1000]), CHANNELS, seed=0)
    off = (size(seen[1000:]) - sizes[1000:]).abs()
    assert float(off.median()) < 0.25 * float(sizes.std())
    again = fit(Seen(seen[:1000], sizes[:1000]), CHANNELS, seed=0)
    torch.testing.assert_close(again(seen), size(seen), rtol=0, atol=0)


def test_pictures_are_looked_at_once_and_told_their_true_size(
    noise: SampleSet, tiny: NetworkConfig
) -> None:
    network = Hoisdf(tiny).eval()
    seen = look(network, noise, seed=1)
    assert seen.summaries.shape == (len(noise), 2 * sum(tiny.decoder.widths) + 7)
    roots = [noise[index].hand_root for index in range(len(noise))]
    zoom = seen.sizes - torch.tensor(
        [np.log(240.0 / root[2]) for root in roots if root is not None]
    )
    assert float(zoom.max() - zoom.min()) < 1.2  # boxes and chance make the rest
    again = look(network, noise, seed=1)
    torch.testing.assert_close(again.summaries, seen.summaries, rtol=0, atol=0)
    other = look(network, noise, seed=2)
    assert not torch.equal(other.sizes, seen.sizes)


def test_the_command_writes_it_beside_the_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a copy of the packaged weights, whose own file must not be touched."""
    packaged = weights_file(PACKAGED)
    assert packaged is not None
    (tmp_path / "mine.pth").write_bytes(packaged.read_bytes())
    given = ["--weights", str(tmp_path / "mine.pth"), "--data"]
    assert main([*given, "synthetic", "--samples", "13"]) == 0
    said = capsys.readouterr().out
    assert "learnt from: 12 pictures" in said
    assert "held out: 1 pictures" in said
    assert load_network(EstimatorConfig(weights=str(tmp_path / "mine.pth"))).hand_size is not None


def test_weights_that_mean_nothing_and_data_of_a_test_split_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for given, words in (
        (["--weights", "", "--data", "synthetic"], "what random numbers see means nothing"),
        (["--data", "synthetic:test"], "expected one to train on"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(given)
        assert stopped.value.code == 2
        assert words in capsys.readouterr().err
