"""The data sets that can be trained on, by the name a user gives."""

from dataclasses import replace

from hoisdf_ros.data.by_name import (
    TO_TRAIN,
    Choice,
    DataName,
    open_named,
    parse_name,
    right_hands_only,
)
from hoisdf_ros.data.object_models import ModelFolder
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.training.settings import TrainConfig
from hoisdf_ros.training.stream import TrainingData

_HELD_OUT_SEED = 1  # beside the training set's
_TRAINING_SPLITS = ("train", "_train_data.json", "_train_data_cut.json")  # how their names end


def open_data(text: str, config: TrainConfig, folder: str = "") -> TrainingData:
    """Open a data set for training, and the split of it that is held out.

    Args:
        text: Such as ``synthetic``, ``dexycb:s1-train`` or ``shards:FOLDER``.
        config: Number of samples, seed, hand model.
        folder: Of a real data set; empty: as its environment variable says.

    Raises:
        ConfigError: There is no such data set, it is not one to train on, or it needs MANO and
            no folder is given.
        DataError: A folder or file of it is missing.
    """
    name = parse_name(text, folder, TO_TRAIN)
    choice = Choice(
        samples=config.samples,
        seed=config.seed,
        grasps=config.grasps or None,
        hand_model_dir=config.hand_model_dir,
        right_only=right_hands_only(config.preset),
    )
    if name.root is None:
        return _drawn(text, name, choice, config.held_out)
    _refuse_to_train_on(text, name.part)
    samples, held_out = (open_named(part, choice).samples for part in (name, _held_out(name)))
    return TrainingData(str(name), samples, held_out, ModelFolder(name.root / "models"))


def _drawn(text: str, name: DataName, choice: Choice, count: int) -> TrainingData:
    """Synthetic data, stored or made while training; what is held out is always made."""
    opened = open_named(name, choice)
    _refuse_to_train_on(text, opened.name.part)
    seed = choice.seed if opened.seed is None else opened.seed
    apart = replace(choice, samples=max(1, count), seed=seed + _HELD_OUT_SEED)
    held_out = open_named(DataName("synthetic", "val"), apart).samples
    called = "synthetic" if name.kind == "synthetic" else f"shards of seed {seed}"
    return TrainingData(called, opened.samples, held_out, opened.objects)


def _held_out(name: DataName) -> DataName:
    """HO-3D's evaluation split, whose joints are secret: only objects are measured there."""
    if name.kind == "ho3d":
        return replace(name, part="evaluation")
    named = name.part.removesuffix("-train")
    return replace(name, part="s0-val" if named.endswith(".json") else f"{named}-val")


def _refuse_to_train_on(text: str, split: str) -> None:
    if not split.endswith(_TRAINING_SPLITS):
        raise ConfigError(
            f"data '{text}' is the split '{split}': expected one to train on, so that what is "
            "measured on the others means something"
        )
