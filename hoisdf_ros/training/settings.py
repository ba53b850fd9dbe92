"""What a training run is told: a dataclass, read from YAML."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from hoisdf_ros.config import PRESETS
from hoisdf_ros.data.augment import AugmentConfig
from hoisdf_ros.errors import ConfigError, reason
from hoisdf_ros.training.losses import WEIGHTS

T = TypeVar("T")

_MAY_BE_ZERO = {
    "grasps",
    "held_out",
    "seed",
    "true_points_epochs",
    "true_points_share",
    "warmup_steps",
    "weight_decay",
    "workers",
}


@dataclass(frozen=True)
class TrainConfig:
    """A training run; the defaults are the published recipe (network.md section 11).

    Args:
        preset: Network to train.
        weights: Checkpoint to start from; ``demo``: the packaged one; empty: from scratch.
        keep: Parts of ``weights`` to start from, such as ``backbone`` and ``decoder``; the others
            start anew. Empty: all of it.
        pretrained: Without ``weights``, start a mobile backbone from the hand detector's.
        hand_model_dir: Folder with MANO_RIGHT.pkl or .npz; empty: the packaged stand-in hand.
        samples: Pictures of the synthetic training set; real sets have as many as they have.
        grasps: Different grasps in them; 0: as many as the split usually has.
        held_out: Pictures of the validation split looked at after every epoch.
        seed: Of everything that is drawn.
        epochs: Times through the data.
        batch_size: Samples of one step on each device.
        learning_rate, decay, decay_epochs, learning_rate_floor: AdamW's, multiplied by ``decay``
            every ``decay_epochs``, never below the floor.
        emphasis: Factors on the published weights of loss terms, by term; others have 1. Terms of
            the image (``heatmap``, ``hand_mask``, ``object_mask``) alone are computed when
            ``image_only`` is true: a quick way to features that the rest can start from.
        image_only: See ``emphasis``.
        backbone_rate, decoder_rate: Their learning rates, as multiples of the rest's.
        warmup_steps: Steps in which the learning rate rises to its value.
        weight_decay: AdamW's.
        clip_norm: Longer gradients are shortened to this.
        average_decay: Of the moving average of the weights, which is what is served.
        freeze_norm: Keep scale and offset of the backbone's batch norms; for pretrained
            backbones.
        true_points_epochs: In the first epochs the network attends to ground-truth points,
        true_points_share: and afterwards so often.
        mixed: Run the backbone in bfloat16 on CUDA.
        device: auto, cpu or cuda.
        workers: Processes that make samples; 0: the training process itself.
        log_every, save_every: Steps between lines of the log, and between checkpoints.
        augment: How samples are varied.

    Raises:
        ConfigError: A value that cannot be used.
    """

    preset: str = "dexycb"
    weights: str = ""
    keep: list[str] = field(default_factory=list)
    pretrained: bool = False
    hand_model_dir: str = ""
    samples: int = 100_000
    grasps: int = 0
    held_out: int = 64
    seed: int = 0
    epochs: int = 70
    batch_size: int = 22
    learning_rate: float = 1e-4
    decay: float = 0.7
    decay_epochs: int = 9
    learning_rate_floor: float = 1e-5
    emphasis: dict[str, float] = field(default_factory=dict)
    image_only: bool = False
    backbone_rate: float = 1.0
    decoder_rate: float = 1.0
    warmup_steps: int = 0
    weight_decay: float = 0.01
    clip_norm: float = 100.0
    average_decay: float = 0.999
    freeze_norm: bool = True
    true_points_epochs: int = 40
    true_points_share: float = 0.4
    mixed: bool = True
    device: str = "auto"
    workers: int = 4
    log_every: int = 20
    save_every: int = 1000
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if self.preset not in PRESETS:
            raise ConfigError(f"preset '{self.preset}': expected one of {', '.join(PRESETS)}")
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if value < 0 or (value == 0 and name not in _MAY_BE_ZERO):
                raise ConfigError(f"{name} is {value}: expected a positive number")
        strange = [name for name in self.emphasis if name not in WEIGHTS]
        if strange or not all(factor > 0 for factor in self.emphasis.values()):
            raise ConfigError(
                f"emphasis is {self.emphasis}: expected positive factors of {', '.join(WEIGHTS)}"
            )
        if self.keep and not self.weights:
            raise ConfigError(f"keep is {self.keep}, parts of no 'weights': name a checkpoint, too")
        if self.average_decay >= 1:
            raise ConfigError(f"average_decay is {self.average_decay}: expected less than 1")


def read_config(path: Path) -> TrainConfig:
    """Read a YAML file; what it leaves out has its default.

    Raises:
        ConfigError: Not a readable file, an unknown key, or a value of another type.
    """
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"config {path}: {reason(error)}; expected YAML as in config/train_demo.yaml"
        ) from error
    return _build(TrainConfig, {} if loaded is None else loaded, str(path))


def _build(kind: type[T], values: Any, where: str) -> T:  # noqa: ANN401
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is '{values}': expected 'name: value' lines")
    defaults: Any = kind()
    known = {entry.name: getattr(defaults, entry.name) for entry in fields(defaults)}
    unknown = [str(name) for name in values if name not in known]
    if unknown:
        raise ConfigError(
            f"{where}: unknown {', '.join(unknown)}; expected some of {', '.join(known)}"
        )
    given = {name: _value(value, known[name], f"{where}: {name}") for name, value in values.items()}
    return kind(**given)


def _value(value: Any, default: Any, where: str) -> Any:  # noqa: ANN401
    if is_dataclass(default):
        return _build(type(default), value, where)
    if type(default) is float and type(value) is int:
        return float(value)
    if type(value) is not type(default):
        raise ConfigError(
            f"{where} is {value!r}: expected a {type(default).__name__}, such as {default!r} "
            "(YAML wants 1.0e-4 for 1e-4)"
        )
    return value
