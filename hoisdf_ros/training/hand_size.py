"""Teach `network.hand_size.HandSize` on the features of a network that is trained already.

``python -m hoisdf_ros.training.hand_size --weights demo --data shards:pictures`` made the packaged
one. The network stays as it is, so every picture is looked at once; the rest takes a minute.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from tqdm import tqdm

from hoisdf_ros.atomic import write_atomically
from hoisdf_ros.config import PACKAGED, EstimatorConfig, NetworkConfig
from hoisdf_ros.data.augment import AugmentConfig, draw, make_view
from hoisdf_ros.data.sample import SampleSet
from hoisdf_ros.errors import ConfigError, HoisdfError
from hoisdf_ros.network.hand_size import HandSize, summary
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.hand_size import hand_size_file, write_hand_size
from hoisdf_ros.runtime.loading import load_source, weights_file
from hoisdf_ros.training.data_sets import open_data
from hoisdf_ros.training.settings import TrainConfig

AUGMENT = AugmentConfig(
    shift=0.08, blur_px=0.4, brightness=0.15, contrast=0.15, saturation=0.15, hue=0.02
)
"""Milder in colour than a network is trained with: its features are what is learnt from."""

HELD_OUT = 12
"""Every twelfth picture is not learnt from, but measured on."""

_BATCH, _EPOCHS, _RATE, _DECAY = 256, 30, 2e-3, 1e-2
_LOOKS = 16  # pictures the network is shown at once
_ROUND = 0.05  # errors smaller than this count by their square


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network's features say of many pictures, and the truth.

    Args:
        summaries: (N, W) of `network.hand_size.summary`.
        sizes: (N,) natural logarithm of pixels a metre at the wrist.
    """

    summaries: Tensor
    sizes: Tensor

    def pick(self, which: Tensor) -> "Seen":
        """Some of them."""
        return Seen(self.summaries[which], self.sizes[which])


@torch.no_grad()
def look(network: Hoisdf, samples: SampleSet, seed: int) -> Seen:
    """Show the network every picture once, each varied by chance.

    Args:
        network: Trained, on the CPU.
        samples: Of a training split.
        seed: Of the chance.

    Raises:
        DataError: A sample cannot be read.
    """
    views = _views(network.config, samples, np.random.default_rng(seed))
    summaries, sizes = [], []
    while some := list(islice(views, _LOOKS)):
        images = torch.from_numpy(np.stack([image for image, _ in some])).permute(0, 3, 1, 2)
        summaries.append(summary(network.image_features(images.float() / 255)))
        sizes += [size for _, size in some]
    if not sizes:
        raise ConfigError("the data set has no hand to learn from; choose another")
    return Seen(torch.cat(summaries), torch.tensor(sizes))


def _views(
    config: NetworkConfig, samples: SampleSet, rng: np.random.Generator
) -> Iterator[tuple[np.typing.NDArray[np.uint8], float]]:
    for index in tqdm(range(len(samples)), unit="picture"):
        if not samples.usable(index):
            continue
        sample = samples[index]
        view = make_view(sample, config, draw(AUGMENT, rng))
        assert sample.hand_root is not None  # as `usable` says
        depth = float((view.turn @ sample.hand_root)[2])
        yield view.image, float(np.log(view.crop.intrinsics[0, 0] / depth))


def fit(seen: Seen, channels: Sequence[int], seed: int) -> HandSize:
    """Learn from what was seen.

    Args:
        seen: Two pictures or more.
        channels: Of the network's pyramid.
        seed: Of starting weights and order.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        size = HandSize(channels)
        size.middle, size.spread = seen.summaries.mean(dim=0), seen.summaries.std(dim=0) + 1e-6
        size.usual = seen.sizes.mean()
        optimizer = torch.optim.AdamW(size.parameters(), weight_decay=_DECAY)
        steps = _EPOCHS * -(-len(seen.sizes) // _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
        size.train()
        for _ in range(_EPOCHS):
            for some in torch.split(torch.randperm(len(seen.sizes)), _BATCH):
                part = seen.pick(some)
                loss = F.smooth_l1_loss(size(part.summaries), part.sizes, beta=_ROUND)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
    return size.eval().requires_grad_(False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, learn, write; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hoisdf_ros.training.hand_size")
    parser.add_argument("--weights", default=PACKAGED, help="checkpoint of the network")
    parser.add_argument("--data", required=True, help="as of hoisdf train, such as shards:pictures")
    parser.add_argument("--data-root", default="", help="folder of a real data set")
    parser.add_argument("--samples", type=int, default=TrainConfig.samples, help="if drawn")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        path = _made(options)
    except HoisdfError as error:
        parser.exit(2, f"error: {error}\n")
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


def _made(options: argparse.Namespace) -> Path:
    """Where the file is."""
    weights = weights_file(options.weights)
    if weights is None:
        raise ConfigError(
            "weights '': expected a checkpoint; what random numbers see means nothing"
        )
    source = load_source(EstimatorConfig(weights=options.weights))
    config = source.network.config
    told = TrainConfig(preset=config.name, samples=options.samples, seed=options.seed)
    data = open_data(options.data, told, options.data_root)
    seen = look(serving_copy(source.network), data.samples, options.seed)
    held_out = torch.arange(len(seen.sizes)) % HELD_OUT == HELD_OUT - 1
    size = fit(seen.pick(~held_out), config.decoder.widths, options.seed)
    for name, which in (("learnt from", ~held_out), ("held out", held_out)):
        some = seen.pick(which)
        off = (size(some.summaries) - some.sizes).abs()
        shares = [100 * float(share) for share in np.percentile(off.numpy(), (50, 90))]
        print(f"{name}: {len(off)} pictures, off by {shares[0]:.1f} %; p90 {shares[1]:.1f} %")
    path = hand_size_file(weights)
    write_atomically(path, partial(write_hand_size, size=size, known=source.weights_hash))
    return path


if __name__ == "__main__":
    raise SystemExit(main())
