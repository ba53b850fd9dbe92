"""From settings to a network that is ready to run."""

from dataclasses import dataclass
from pathlib import Path

import torch

from hoisdf_ros.config import PACKAGED, EstimatorConfig, NetworkConfig, preset
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.network.checkpoint import load_checkpoint, stored_preset, weights_hash
from hoisdf_ros.network.hand_size import HandSize
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.runtime.backend import Backend, EagerBackend
from hoisdf_ros.runtime.choice import Source, make_backend, silent
from hoisdf_ros.runtime.engine import Say
from hoisdf_ros.runtime.hand_size import load_hand_size

UNTRAINED = "untrained"

_PACKAGED_FILE = Path(__file__).parents[1] / "assets" / "weights" / "demo.pth"


@dataclass(frozen=True)
class LoadedNetwork:
    """A network ready to run.

    Args:
        backend: Runs it.
        model: The same network as a module, whose fields can be asked.
        config: Its preset.
        weights: File name, or ``untrained``.
        weights_hash: Short hash of all weights.
        hand_size: Tells how large a hand looks, on the network's device; None where nothing was
            trained for these weights.
    """

    backend: Backend
    model: Hoisdf
    config: NetworkConfig
    weights: str
    weights_hash: str
    hand_size: HandSize | None = None


def load_network(config: EstimatorConfig, say: Say = silent) -> LoadedNetwork:
    """Build the network that the settings name and make it ready to run.

    Args:
        config: Weights, preset and how to run them.
        say: Is told what takes long.

    Raises:
        CheckpointError: The weights do not fit, or are not safe to read.
        ConfigError: There is no such preset, or no packaged weights of it.
        BackendError: The device or backend does not exist here.
    """
    source = load_source(config)
    backend = make_backend(source, say)
    model = backend.model if isinstance(backend, EagerBackend) else source.eager(backend.device)
    weights, network = weights_file(config.weights), source.network.config
    size = None
    if weights is not None:
        size = load_hand_size(weights, source.weights_hash, network.decoder.widths)
    return LoadedNetwork(
        backend=backend,
        model=model,
        config=network,
        weights=UNTRAINED if weights is None else weights.name,
        weights_hash=source.weights_hash,
        hand_size=None if size is None else size.to(backend.device),
    )


def load_source(config: EstimatorConfig) -> Source:
    """The network that the settings name, filled with its weights.

    Without weights the numbers are random, the same on every start.

    Raises:
        CheckpointError: The weights do not fit, or are not safe to read.
        ConfigError: There is no such preset.
    """
    weights = weights_file(config.weights)
    if config.weights == PACKAGED and config.preset not in {"", PACKAGED}:
        raise ConfigError(
            f"preset '{config.preset}' has no packaged weights: give a checkpoint by 'weights', "
            "or an empty name for random numbers"
        )
    network_config = preset(config.preset or _usual_preset(weights))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Hoisdf(network_config)
    if weights is not None:
        load_checkpoint(weights, model)
    return Source(model, weights_hash(model), config)


def weights_file(named: str) -> Path | None:
    """The checkpoint that a setting names; None when it is empty."""
    if named == PACKAGED:
        return _PACKAGED_FILE
    return Path(named).expanduser() if named else None


def _usual_preset(weights: Path | None) -> str:
    """Without a setting: what our checkpoints say of themselves; published ones do not."""
    return "demo" if weights is None else stored_preset(weights) or "dexycb"
