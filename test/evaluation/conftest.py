"""Labelled pictures made of nothing, and a network that knows their labels."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.data.by_name import DataName, NamedData
from hoisdf_ros.data.object_models import MeshLibrary
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.datatypes import Array, Camera, ManoParameters, Mesh
from hoisdf_ros.estimator import Estimator
from hoisdf_ros.geometry.mesh import box_corners, transform
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in
from hoisdf_ros.network.io import (
    FieldPoints,
    HandParameters,
    ImageFeatures,
    JointVotes,
    NetworkInput,
    NetworkOutput,
    ObjectVotes,
    QueryPoints,
)

CAMERA = Camera(240.0, 240.0, 79.5, 59.5, 160, 120)
BRICK = "brick"
MESH = box((0.05, 0.06, 0.1))


def made(index: int) -> Sample:
    """Every third hand is a left one; every fourth sample has no object."""
    rng = np.random.default_rng(index)
    side = Side.LEFT if index % 3 == 2 else Side.RIGHT
    root = np.array([0.03, 0.0, 0.55]) + rng.uniform(-0.02, 0.02, 3)
    pose, betas = rng.uniform(-0.4, 0.4, (16, 3)), rng.uniform(-1, 1, 10)
    rotations = torch.from_numpy(matrix_from_rotation_vector(pose)[None]).float()
    with torch.no_grad():
        posed = HandModel(load_stand_in(side))(rotations, torch.from_numpy(betas[None]).float())
    joints = posed.joints[0].double().numpy() + root
    rotation = matrix_from_rotation_vector(rng.uniform(-1, 1, 3))
    center = joints.mean(axis=0) + np.array([0.0, 0.02, 0.03])
    sample = Sample(
        key=f"made/{index}",
        image=rng.integers(0, 256, (120, 160, 3), dtype=np.uint8),
        camera=CAMERA,
        side=side,
        hand_root=joints[0],
        joints=joints,
        mano=ManoParameters(pose[0], pose[1:].ravel(), betas, joints[0]),
        object_id=BRICK,
        object_rotation=rotation,
        object_translation=center,
        hand_box=box_around(joints, CAMERA),
        object_box=box_around(transform(box_corners(MESH.vertices), rotation, center), CAMERA),
    )
    if index % 4 == 3:
        sample = replace(sample, object_id=None, object_rotation=None, object_translation=None)
        return replace(sample, object_box=None)
    return sample


class ListSet:
    """A data set from a list; those whose number is in ``unusable`` are not."""

    def __init__(self, samples: Sequence[Sample], unusable: Sequence[int] = ()) -> None:
        self.samples, self._unusable = list(samples), set(unusable)
        self.keys = tuple(sample.key for sample in samples)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]

    def usable(self, index: int) -> bool:
        return index not in self._unusable


class Oracle:
    """A network that knows the labels, and errs only as it is told.

    It finds a sample by the wrist it is given, no farther than ``tolerance`` off, metres.
    ``turn`` is applied to the hand, ``shift`` to the object, in the frame that the network sees,
    where left is right.
    """

    name, precision, device = "oracle", "fp32", "cpu"
    notes: tuple[str, ...] = ()

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = [sample for sample in samples if sample.hand_root is not None]
        self.tolerance = 1e-6
        self.turn: Array = np.eye(3)
        self.shift: Array = np.zeros(3)

    def __call__(self, inputs: NetworkInput) -> NetworkOutput:
        rows = [
            self._row(root, center)
            for root, center in zip(inputs.hand_root, inputs.object_center, strict=True)
        ]
        rotations, betas, vector, place = (torch.stack(part) for part in zip(*rows, strict=True))
        count = len(rows)
        nowhere = FieldPoints(torch.zeros(count, 1, 3), torch.zeros(count, 1, 1))
        votes = JointVotes(
            torch.zeros(count, 20, 3), torch.zeros(count, 1, 20, 3), torch.zeros(count, 1, 20)
        )
        blank = torch.zeros(count, 1, 1, 1)
        return NetworkOutput(
            ImageFeatures((), blank, blank, blank),
            QueryPoints(nowhere, nowhere),
            votes,
            HandParameters(rotations, betas),
            ObjectVotes(vector, place, vector[:, None], place[:, None]),
        )

    def _row(self, root: Tensor, center: Tensor) -> tuple[Tensor, ...]:
        wrist = root.double().numpy()
        sample = min(self.samples, key=lambda one: np.linalg.norm(self._seen(one) - wrist))
        assert np.linalg.norm(self._seen(sample) - wrist) < self.tolerance
        assert sample.mano is not None
        flip = MIRROR if sample.side is Side.LEFT else np.eye(3)
        vectors = np.concatenate([sample.mano.orient, sample.mano.pose]).reshape(-1, 3)
        rotations = flip @ matrix_from_rotation_vector(vectors) @ flip
        rotations[0] = self.turn @ rotations[0]
        vector: Array = np.zeros(3)
        place: Array = np.zeros(3)
        if sample.object_rotation is not None and sample.object_translation is not None:
            vector = rotation_vector_from_matrix(flip @ sample.object_rotation @ flip)
            place = flip @ sample.object_translation - center.double().numpy() + self.shift
        return tuple(
            torch.from_numpy(part).float() for part in (rotations, sample.mano.betas, vector, place)
        )

    @staticmethod
    def _seen(sample: Sample) -> Array:
        assert sample.hand_root is not None
        seen: Array = sample.hand_root * ([-1, 1, 1] if sample.side is Side.LEFT else 1)
        return seen


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    return [made(index) for index in range(6)]


@pytest.fixture
def data(samples: list[Sample]) -> NamedData:
    return named(samples)


def named(samples: Sequence[Sample], unusable: Sequence[int] = ()) -> NamedData:
    hands = {side: load_stand_in(side) for side in (Side.LEFT, Side.RIGHT)}
    library = MeshLibrary({BRICK: MESH})
    return NamedData(DataName("synthetic", "test"), ListSet(samples, unusable), library, hands)


@pytest.fixture
def name_data() -> Callable[..., NamedData]:
    """Makes a named data set of samples."""
    return named


@pytest.fixture(scope="session")
def _estimator() -> Estimator:
    return Estimator(EstimatorConfig(weights="", device="cpu"))


@pytest.fixture
def oracle(samples: list[Sample]) -> Oracle:
    return Oracle(samples)


@pytest.fixture
def estimator(_estimator: Estimator, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Estimator:
    """The served estimator around the oracle."""
    network = replace(_estimator.network, backend=oracle)
    monkeypatch.setattr(_estimator, "network", network)
    return _estimator


@pytest.fixture(scope="session")
def brick() -> Mesh:
    return MESH


@pytest.fixture(scope="session")
def writers() -> Callable[[str], ModuleType]:
    """The test modules that write data sets in miniature, by name: test folders are no packages."""

    def load(name: str) -> ModuleType:
        path = Path(__file__).parents[1] / "data" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
