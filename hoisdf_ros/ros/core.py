"""What the node needs of the core; tests put a quick stand-in of this shape in its place."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.config import EstimatorConfig, NodeConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.datatypes import Estimate, EstimatorInfo, Frame, Mesh


class EstimatorLike(Protocol):
    """Turns frames into estimates; called from one thread at a time."""

    def __call__(self, frame: Frame) -> Estimate:
        """All hands and held objects of a frame."""

    def faces(self, side: Side) -> NDArray[np.integer]:
        """(1538, 3) triangles of one side's hand."""

    def object_mesh(self, object_id: str) -> Mesh:
        """The mesh of an object; `MeshError` when there is none."""

    def describe(self) -> EstimatorInfo:
        """What runs."""

    def update(self, config: EstimatorConfig) -> None:
        """Take over what may change at run time."""

    def reset(self) -> None:
        """Forget all tracks."""


EstimatorFactory = Callable[[NodeConfig], EstimatorLike]


def load_estimator(config: NodeConfig) -> EstimatorLike:
    """The real one; imported here, since torch takes seconds and a node should answer at once."""
    from hoisdf_ros.estimator import Estimator

    return Estimator(config)
