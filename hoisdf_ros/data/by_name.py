"""Data sets by the name a user gives: ``synthetic:test``, ``dexycb:s0-test``, ``shards:FOLDER``.

What follows the colon is the split, or the folder of shards. Real data sets lie in a folder of
their own, which is given apart from the name, or by an environment variable.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from hoisdf_ros.conventions import Side
from hoisdf_ros.data.dexycb import DexYcb
from hoisdf_ros.data.ho3d import Ho3d
from hoisdf_ros.data.object_models import (
    MEASURED_MESH_FILES,
    MeshLibrary,
    ModelFolder,
    Objects,
)
from hoisdf_ros.data.sample import SampleSet
from hoisdf_ros.data.shards import ShardData
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.data.synthetic_objects import synthetic_meshes
from hoisdf_ros.data.synthetic_streams import SPLITS
from hoisdf_ros.data.synthetic_streams import Split as SyntheticSplit
from hoisdf_ros.data.ycb import UNSEEN_IN_HO3D_TRAINING
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.hand_model.assets import HandArrays, load_hand_arrays
from hoisdf_ros.hand_model.stand_in import load_right_hand, load_stand_in

Kind = Literal["synthetic", "shards", "dexycb", "ho3d"]

FORMS = "synthetic[:SPLIT], shards:FOLDER, dexycb[:SPLIT] or ho3d[:SPLIT]"

FOLDER_VARIABLES = {"dexycb": "DEX_YCB_DIR", "ho3d": "HO3D_DIR"}
"""Environment variables that name the folder of a real data set; the first is its toolkit's."""

TO_TRAIN = {"synthetic": "train", "dexycb": "s0-train", "ho3d": "train"}
TO_MEASURE = {"synthetic": "test", "dexycb": "s0-test", "ho3d": "evaluation"}
"""The usual splits, where a name does not say which."""


@dataclass(frozen=True)
class DataName:
    """One split of one data set.

    Args:
        kind: Which data set.
        part: Its split; of DexYCB also the path of a published annotation ``.json``; the folder
            of shards.
        root: Folder of a real data set; None for the others.
    """

    kind: Kind
    part: str
    root: Path | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.part}"


@dataclass(frozen=True)
class Choice:
    """What else decides which samples there are.

    Args:
        samples: How many synthetic ones are drawn.
        seed: Of synthetic data.
        grasps: Different grasps in it; None: as many as the split usually has.
        hand_model_dir: Folder of MANO's files, which the hands of real data sets need.
        right_only: Leave out DexYCB's left hands.
    """

    samples: int = 1000
    seed: int = 0
    grasps: int | None = None
    hand_model_dir: str = ""
    right_only: bool = True


@dataclass(frozen=True)
class NamedData:
    """A data set with what its labels mean.

    Args:
        name: What was opened; ``synthetic:test`` for shards of that split.
        samples: The samples.
        objects: Meshes for measuring; empty when the data set's are not there.
        hands: By side, the hand model that the samples' parameters belong to.
        seed: Of synthetic data; None for real data.
        not_scored: Objects that the data set's object errors leave out.
        usable_only: The data set's rules leave out samples that are not `usable`.
    """

    name: DataName
    samples: SampleSet
    objects: Objects
    hands: Mapping[Side, HandArrays]
    seed: int | None = None
    not_scored: frozenset[str] = frozenset()
    usable_only: bool = False


def parse_name(text: str, folder: str, usual: Mapping[str, str]) -> DataName:
    """Read a data set's name.

    Args:
        text: Such as ``dexycb:s0-test``.
        folder: Of a real data set; empty: as its environment variable says.
        usual: The splits of names without one: `TO_TRAIN` or `TO_MEASURE`.

    Raises:
        ConfigError: There is no such data set, or its folder is not given.
    """
    kind, colon, part = text.partition(":")
    if kind not in get_args(Kind) or (not part and (colon or kind == "shards")):
        raise ConfigError(f"data '{text}': expected {FORMS}")
    if kind not in FOLDER_VARIABLES:
        if folder:
            raise ConfigError(f"data '{text}' lies in no folder '{folder}'; leave --data-root out")
        if kind == "shards":
            return DataName("shards", part)
        part = {"": usual[kind], "validation": "val"}.get(part, part)
        if part not in SPLITS:
            raise ConfigError(f"data '{text}': expected synthetic:train, :validation or :test")
        return DataName("synthetic", part)
    root = folder or os.environ.get(FOLDER_VARIABLES[kind], "")
    if not root:
        raise ConfigError(
            f"data '{text}': where is it? Give its folder by --data-root or by the environment "
            f"variable {FOLDER_VARIABLES[kind]}"
        )
    real: Kind = "dexycb" if kind == "dexycb" else "ho3d"
    return DataName(real, part or usual[kind], Path(root).expanduser())


def open_named(name: DataName, choice: Choice) -> NamedData:
    """Open a data set.

    Raises:
        ConfigError: It needs MANO and no folder of it is given.
        DataError: Unknown split, a number out of range, a missing or damaged folder or file.
        HandModelError: A hand model file is missing or damaged.
    """
    if name.root is not None:
        return _open_real(name, name.root, choice)
    stand_ins = {side: load_stand_in(side) for side in (Side.RIGHT, Side.LEFT)}
    if name.kind == "shards":
        shards = ShardData(Path(name.part).expanduser())
        recipe = shards.recipe
        drawn = DataName("synthetic", recipe.split)
        return NamedData(drawn, shards, MeshLibrary(synthetic_meshes()), stand_ins, recipe.seed)
    split: SyntheticSplit = next(split for split in SPLITS if split == name.part)
    samples = SyntheticData(split, choice.samples, choice.seed, grasps=choice.grasps)
    return NamedData(name, samples, MeshLibrary(samples.meshes), stand_ins, choice.seed)


def right_hands_only(preset: str) -> bool:
    """Whether a network is made for DexYCB's right hands, as all published ones but one."""
    return preset != "dexycb_full"


def training_part(name: DataName) -> DataName:
    """The training split that belongs to a split."""
    if name.kind == "dexycb" and not name.part.endswith(".json"):
        return replace(name, part=f"{name.part.partition('-')[0]}-train")
    return replace(name, part=TO_TRAIN[name.kind])


def _open_real(name: DataName, root: Path, choice: Choice) -> NamedData:
    hands = _hands(name, choice)
    models = root / "models"
    objects: Objects = MeshLibrary({})
    if models.is_dir():
        objects = ModelFolder(models, MEASURED_MESH_FILES)
    if name.kind == "dexycb":
        frames = DexYcb(root, name.part, hands, right_only=choice.right_only)
        return NamedData(name, frames, objects, hands, usable_only=True)
    return NamedData(
        name, Ho3d(root, name.part), objects, hands, not_scored=UNSEEN_IN_HO3D_TRAINING
    )


def _hands(name: DataName, choice: Choice) -> dict[Side, HandArrays]:
    if not choice.hand_model_dir:
        raise ConfigError(
            f"data '{name}': its hands are MANO's, which the packaged hand is not; say which "
            "folder holds MANO_RIGHT.pkl, by --hand-model or, for training, by hand_model_dir in "
            "the config"
        )
    hands = {Side.RIGHT: load_right_hand(choice.hand_model_dir)}
    if name.kind == "dexycb" and not choice.right_only:
        path = Path(choice.hand_model_dir).expanduser() / "MANO_LEFT.npz"
        path = path if path.is_file() else path.with_suffix(".pkl")
        hands[Side.LEFT] = load_hand_arrays(path, Side.LEFT)
    return hands
