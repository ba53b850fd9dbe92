"""What a network knows before its first step."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from hoisdf_ros.detection.weights import load_networks
from hoisdf_ros.errors import ConfigError, TrainingError
from hoisdf_ros.network.checkpoint import load_checkpoint
from hoisdf_ros.network.mobile_backbone import MobileBackbone
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.loading import weights_file
from hoisdf_ros.training.settings import TrainConfig


def start_network(network: Hoisdf, config: TrainConfig) -> None:
    """Give a new network the weights that a run's settings name.

    Raises:
        CheckpointError, ConfigError, TrainingError, DetectorError: As `start_from_checkpoint` and
            `start_from_detector`.
    """
    weights = weights_file(config.weights)
    if weights is not None:
        start_from_checkpoint(network, weights, config.keep)
    elif config.pretrained:
        start_from_detector(network)
    if config.freeze_norm:
        freeze_norm(network.backbone)


def start_from_checkpoint(network: Hoisdf, path: Path, keep: Sequence[str] = ()) -> None:
    """Fill a network, or the named parts of it, with a checkpoint's weights.

    Args:
        network: What is not kept stays as it is.
        path: A checkpoint of the whole network.
        keep: Parts, such as ``backbone``; empty: all.

    Raises:
        CheckpointError: It is not readable, or not of this network.
        ConfigError: The network has no such part.
    """
    parts = [name for name, _ in network.named_children()]
    if strange := [name for name in keep if name not in parts]:
        raise ConfigError(
            f"keep names {', '.join(strange)}: expected some of {', '.join(parts)}, the parts of "
            f"preset '{network.config.name}'"
        )
    anew = {
        name: value.clone()
        for name, value in network.state_dict().items()
        if keep and name.partition(".")[0] not in keep
    }
    load_checkpoint(path, network)
    network.load_state_dict(anew, strict=False)


def start_from_detector(network: Hoisdf) -> None:
    """Give a mobile backbone the weights of the hand detector's trunk.

    Raises:
        TrainingError: The network has another backbone.
        DetectorError: The detector's weights are missing or damaged.
    """
    if not isinstance(network.backbone, MobileBackbone):
        raise TrainingError(
            f"pretrained is true, but preset '{network.config.name}' has no mobile backbone: set "
            "it to false, or give 'weights' to start from"
        )
    _, landmarks = load_networks()
    network.backbone.load_state_dict(landmarks.trunk.state_dict())


def freeze_norm(module: nn.Module) -> None:
    """Stop scale and offset of all batch norms from being trained."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.requires_grad_(False)
