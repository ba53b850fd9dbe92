"""Where a run's first weights come from: a checkpoint, parts of one, or the hand detector."""

from dataclasses import replace

import pytest
import torch

from hoisdf_ros.config import PACKAGED, PRESETS, BackboneConfig, EstimatorConfig
from hoisdf_ros.detection.weights import GET_WEIGHTS, find_weights, load_networks
from hoisdf_ros.errors import ConfigError, TrainingError
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.loading import load_source, weights_file
from hoisdf_ros.training.settings import TrainConfig
from hoisdf_ros.training.start import (
    freeze_norm,
    start_from_checkpoint,
    start_from_detector,
    start_network,
)


@pytest.mark.parametrize("keep", [[], ["backbone", "hand_density"]])
def test_a_run_starts_from_a_checkpoint_or_from_parts_of_it(keep: list[str]) -> None:
    network = Hoisdf(PRESETS["demo"])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start_network(network, TrainConfig(weights=PACKAGED, keep=keep, freeze_norm=False))
    packaged = load_source(EstimatorConfig()).network.state_dict()
    for name, value in network.state_dict().items():
        kept = not keep or name.partition(".")[0] in keep
        assert torch.equal(value, (packaged if kept else before)[name]), name


def test_a_part_that_there_is_not_is_refused() -> None:
    path = weights_file(PACKAGED)
    assert path is not None
    with pytest.raises(ConfigError, match="keep names neck: expected some of backbone, decoder,"):
        start_from_checkpoint(Hoisdf(PRESETS["demo"]), path, ["decoder", "neck"])


def test_frozen_norms_keep_scale_and_offset() -> None:
    network = Hoisdf(replace(PRESETS["demo"], backbone=BackboneConfig((1, 1, 1, 1), False, 8)))
    freeze_norm(network.backbone)
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert "backbone.stem.1.weight" in frozen
    assert "backbone.stem.0.weight" not in frozen
    assert not [name for name in frozen if not name.startswith("backbone.")]


@pytest.mark.skipif(find_weights() is None, reason=f"no detector weights: {GET_WEIGHTS}")
def test_a_mobile_backbone_starts_as_the_hand_detectors_trunk() -> None:
    network = Hoisdf(PRESETS["demo"])
    start_from_detector(network)
    _, landmarks = load_networks()
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        pairs = zip(network.backbone(image), landmarks.trunk(image), strict=True)
        assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    assert all(p.requires_grad for p in network.backbone.parameters())


def test_only_a_mobile_backbone_starts_so() -> None:
    with torch.device("meta"):
        network = Hoisdf(PRESETS["dexycb"])
    with pytest.raises(TrainingError, match="'dexycb' has no mobile backbone"):
        start_from_detector(network)
