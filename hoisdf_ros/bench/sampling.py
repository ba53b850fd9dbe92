"""How far the coarse-to-fine search moves the answers from those of the dense search."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.backend import search_capacity

MM = 1000.0


@dataclass(frozen=True)
class SamplingDifferences:
    """One entry a crop.

    Args:
        joint_mm: Of the joint that moved most, relative to the wrist.
        object_mm: Of the object's origin.
        object_degrees: Between the object's rotations.
        found: Share of the dense search's query points, of both fields, that were found.
        points_evaluated: Field evaluations of the search; the same for every crop.
    """

    joint_mm: Array
    object_mm: Array
    object_degrees: Array
    found: Array
    points_evaluated: int

    def p99(self) -> tuple[float, float, float]:
        """What 99 % of the crops stay below: joint_mm, object_mm, object_degrees."""
        joint, held, turn = (
            float(np.percentile(values, 99))
            for values in (self.joint_mm, self.object_mm, self.object_degrees)
        )
        return joint, held, turn


@torch.no_grad()
def sampling_differences(
    network: Hoisdf, hand_model: HandModel, crops: Iterable[NetworkInput]
) -> SamplingDifferences:
    """Run both searches on the same crops with the same weights.

    Args:
        network: With trained weights, or the numbers mean nothing.
        hand_model: The right hand that its parameters belong to, on the network's device.
        crops: Batches of any size, on the network's device; at least one.
    """
    dense, fast = serving_copy(network, "dense"), serving_copy(network, "coarse_to_fine")
    rows = []
    for inputs in crops:
        exact = dense(inputs, search_capacity(dense, inputs))
        near = fast(inputs)
        between = _joints(near, hand_model) - _joints(exact, hand_model)
        moved = near.object.translation - exact.object.translation
        found = [
            share_found(getattr(exact.queries, name).points, getattr(near.queries, name).points)
            for name in ("hand", "object")
        ]
        rows.append(
            np.stack(
                [
                    MM * between.norm(dim=-1).amax(dim=1).cpu().numpy(),
                    MM * moved.norm(dim=-1).cpu().numpy(),
                    _degrees(near.object.rotation, exact.object.rotation),
                    np.mean(found, axis=0),
                ]
            )
        )
    joint, held, turn, found_share = np.concatenate(rows, axis=1)
    config = network.config
    evaluated = config.hand_search.evaluated + config.object_search.evaluated
    return SamplingDifferences(joint, held, turn, found_share, evaluated)


def share_found(wanted: torch.Tensor, found: torch.Tensor) -> Array:
    """(B,) share of the (B, N, 3) wanted lattice points that are among (B, M, 3) found ones."""
    same = (wanted.unsqueeze(2) == found.unsqueeze(1)).all(dim=-1).any(dim=2)  # (B, N)
    share: Array = same.double().mean(dim=1).cpu().numpy()
    return share


def _joints(output: NetworkOutput, hand_model: HandModel) -> torch.Tensor:
    """(B, 20, 3) of the posed hand; voted ones where no pose is regressed."""
    if output.hand.rotations is None:
        return output.joints.joints
    posed: HandGeometry = hand_model(output.hand.rotations, output.hand.shape)
    return posed.joints[:, 1:]


def _degrees(some: torch.Tensor, others: torch.Tensor) -> Array:
    """(B,) angle between (B, 3) rotation vectors."""
    first, second = (matrix_from_rotation_vector(v.double().cpu().numpy()) for v in (some, others))
    cosine = (np.einsum("bij,bij->b", first, second) - 1) / 2
    angle: Array = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return angle
