"""The data sets that can be trained on, by the name a user gives."""

from collections.abc import Mapping
from pathlib import Path

from hoisdf_ros.config import preset
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.dexycb import DexYcb
from hoisdf_ros.data.ho3d import Ho3d
from hoisdf_ros.data.synthetic import SyntheticData
from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.errors import ConfigError, DataError
from hoisdf_ros.geometry.mesh import load_mesh
from hoisdf_ros.hand_model.assets import HandArrays, load_hand_arrays
from hoisdf_ros.hand_model.stand_in import load_right_hand
from hoisdf_ros.postprocessing.objects import KnownObject
from hoisdf_ros.training.settings import TrainConfig
from hoisdf_ros.training.stream import TrainingData

NAMES = "synthetic, dexycb:ROOT or ho3d:ROOT"

_HELD_OUT_SEED = 1  # beside the training set's


class MeshLibrary:
    """Meshes that are in memory.

    Args:
        meshes: By object id.
    """

    def __init__(self, meshes: Mapping[str, Mesh]) -> None:
        self._known = {name: KnownObject(name, mesh) for name, mesh in meshes.items()}

    def get(self, object_id: str) -> KnownObject | None:
        """The object, or None."""
        return self._known.get(object_id)


class ModelFolder:
    """The YCB models of DexYCB and HO-3D, read when first used.

    Args:
        directory: One ``<object_id>/textured_simple.obj`` per object.

    Raises:
        DataError: There is no such folder.
    """

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise DataError(
                f"folder '{directory}' is missing: it should hold the YCB models of the data set, "
                "<object_id>/textured_simple.obj; put or link them there"
            )
        self._directory = directory
        self._known: dict[str, KnownObject] = {}

    def get(self, object_id: str) -> KnownObject | None:
        """The object.

        Raises:
            MeshError: Its mesh is missing or damaged.
        """
        if object_id not in self._known:
            mesh = load_mesh(self._directory / object_id / "textured_simple.obj")
            self._known[object_id] = KnownObject(object_id, mesh)
        return self._known[object_id]


def open_data(name: str, config: TrainConfig) -> TrainingData:
    """Open a data set for training.

    Args:
        name: ``synthetic``, ``dexycb:ROOT`` or ``ho3d:ROOT``.
        config: Number of samples, split, seed, hand model.

    Raises:
        ConfigError: There is no such data set, or it needs MANO and no folder is given.
        DataError: A folder or file of it is missing.
    """
    kind, _, root = name.partition(":")
    if kind == "synthetic" and not root:
        return _synthetic(config)
    if kind not in ("dexycb", "ho3d") or not root:
        raise ConfigError(f"data '{name}': expected {NAMES}")
    if not config.hand_model_dir:
        raise ConfigError(
            f"data '{name}': its hands are MANO's, which the packaged hand is not; set "
            "hand_model_dir in the config to the folder with MANO_RIGHT.pkl"
        )
    folder = Path(root).expanduser()
    return (_dexycb if kind == "dexycb" else _ho3d)(kind, folder, config)


def _synthetic(config: TrainConfig) -> TrainingData:
    grasps = config.grasps or None
    samples = SyntheticData("train", config.samples, config.seed, grasps=grasps)
    seed = config.seed + _HELD_OUT_SEED
    held_out = SyntheticData("val", max(1, config.held_out), seed, grasps=grasps)
    return TrainingData("synthetic", samples, held_out, MeshLibrary(samples.meshes))


def _dexycb(name: str, root: Path, config: TrainConfig) -> TrainingData:
    right_only = preset(config.preset).name != "dexycb_full"
    hands = _hands(Path(config.hand_model_dir).expanduser(), right_only=right_only)
    split = config.split or "s0-train"
    samples = DexYcb(root, split, hands, right_only=right_only)
    held_out = DexYcb(root, split.replace("-train", "-val"), hands, right_only=right_only)
    return TrainingData(name, samples, held_out, ModelFolder(root / "models"))


def _ho3d(name: str, root: Path, config: TrainConfig) -> TrainingData:
    """Held out is the evaluation split, whose joints are secret: objects are measured there."""
    samples = Ho3d(root, config.split or "train")
    return TrainingData(name, samples, Ho3d(root, "evaluation"), ModelFolder(root / "models"))


def _hands(directory: Path, *, right_only: bool) -> dict[Side, HandArrays]:
    hands = {Side.RIGHT: load_right_hand(str(directory))}
    if not right_only:
        path = directory / "MANO_LEFT.npz"
        path = path if path.is_file() else path.with_suffix(".pkl")
        hands[Side.LEFT] = load_hand_arrays(path, Side.LEFT)
    return hands
