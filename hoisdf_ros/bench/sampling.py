"""How far the coarse-to-fine search moves the answers from those of the dense search."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from hoisdf_ros.bench.scaling import variant
from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.datatypes import Array
from hoisdf_ros.errors import ConfigError
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.runtime.backend import search_capacity
from hoisdf_ros.search_budget import SearchBudget

MM = 1000.0

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Of the budgets, for the curve of cost against difference."""


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

    def row(self) -> dict[str, float]:
        """For a table: points, p99 of each difference, mean share of points found."""
        joint, held, turn = self.p99()
        return {
            "points_evaluated": self.points_evaluated,
            "joint_mm_p99": round(joint, 4),
            "object_mm_p99": round(held, 4),
            "object_deg_p99": round(turn, 4),
            "found": round(float(self.found.mean()), 5),
        }

    def p99(self) -> tuple[float, float, float]:
        """What 99 % of the crops stay below: joint_mm, object_mm, object_degrees."""
        joint, held, turn = (
            float(np.percentile(values, 99))
            for values in (self.joint_mm, self.object_mm, self.object_degrees)
        )
        return joint, held, turn


@torch.no_grad()
def sampling_curve(
    network: Hoisdf,
    hand_model: HandModel,
    crops: Sequence[NetworkInput],
    factors: Sequence[float] = FACTORS,
) -> list[SamplingDifferences]:
    """Both searches on the same crops with the same weights, for budgets of several sizes.

    Args:
        network: With trained weights, or the numbers mean nothing.
        hand_model: The right hand that its parameters belong to, on the network's device.
        crops: Batches of any size, on the network's device; at least one.
        factors: Of the preset's budgets, as far as the lattice allows them.
    """
    exact = _dense_answers(network, crops)
    config = network.config
    curve = []
    for factor in factors:
        try:
            other = variant(
                network,
                sampler="coarse_to_fine",
                hand_search=_scaled(config.hand_search, factor, config.lattice_size),
                object_search=_scaled(config.object_search, factor, config.lattice_size),
            )
        except ConfigError:  # fewer points than are wanted, or more than there are
            continue
        curve.append(_compared(other, hand_model, crops, exact))
    return curve


def full_size(network: Hoisdf) -> Hoisdf:
    """The network with as many query points, of a lattice as dense, as the full-size ones have.

    Weights of the demo preset are the only trained ones that every machine has. Where they choose
    from a full-size network's points, a full-size budget shows what it is worth.
    """
    usual, own = NetworkConfig(), network.config
    levels = 2 ** len(usual.hand_search.kept)
    size = levels * round(usual.lattice_size * usual.sdf_scale / own.sdf_scale / levels)
    return variant(
        network,
        lattice_size=size,
        hand_points=usual.hand_points,
        object_points=usual.object_points,
        hand_search=usual.hand_search,
        object_search=usual.object_search,
    )


@torch.no_grad()
def _dense_answers(network: Hoisdf, crops: Sequence[NetworkInput]) -> list[NetworkOutput]:
    """What the network says when every point in the boxes is evaluated."""
    dense = serving_copy(network, "dense")
    return [dense(inputs, search_capacity(dense, inputs)) for inputs in crops]


def _compared(
    network: Hoisdf,
    hand_model: HandModel,
    crops: Sequence[NetworkInput],
    dense: Sequence[NetworkOutput],
) -> SamplingDifferences:
    fast = serving_copy(network, "coarse_to_fine")
    rows = []
    for inputs, exact in zip(crops, dense, strict=True):
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


def _scaled(budget: SearchBudget, factor: float, lattice_size: int) -> SearchBudget:
    """So many times the cells of every level; of the coarsest, no more than there are."""
    coarsest = (lattice_size >> len(budget.kept)) ** 3
    kept = tuple(round(factor * cells) for cells in budget.kept)
    return SearchBudget(min(round(factor * budget.seen), coarsest), kept)


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
