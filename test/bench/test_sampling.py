"""The measure of the coarse-to-fine search, on differences that are known."""

from dataclasses import replace

import pytest
import torch

from hoisdf_ros.bench.latency import synthetic_input
from hoisdf_ros.bench.sampling import (
    full_size,
    sampling_curve,
    share_found,
)
from hoisdf_ros.bench.scaling import variant
from hoisdf_ros.config import PRESETS
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_right_hand
from hoisdf_ros.network.io import NetworkInput, joined
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.search_budget import SearchBudget


def test_share_of_points_found() -> None:
    points = torch.rand(2, 10, 3)
    mixed = torch.stack([points[0].flip(0), torch.cat([points[1, :5], points[0, 5:]])])
    assert share_found(points, mixed).tolist() == [1.0, 0.5]


def _network(kept: int) -> Hoisdf:
    torch.manual_seed(0)
    budget = SearchBudget(216, (kept,))
    return Hoisdf(
        replace(
            PRESETS["demo"],
            lattice_size=12,
            hand_points=60,
            object_points=40,
            hand_search=budget,
            object_search=budget,
        )
    ).eval()


def _crops(network: Hoisdf) -> list[NetworkInput]:
    size = network.config.image_size
    return [joined([synthetic_input(size, seed) for seed in range(2)]), synthetic_input(size, 2)]


@pytest.mark.parametrize(("kept", "same"), [(120, True), (10, False)])
def test_nothing_differs_until_the_budget_is_too_small(kept: int, same: bool) -> None:
    network = _network(kept)
    crops = _crops(network)
    model = HandModel(load_right_hand(""))
    (measured,) = sampling_curve(network, model, crops, factors=(1.0,))
    assert len(measured.joint_mm) == len(measured.object_degrees) == 3
    assert measured.points_evaluated == 2 * (216 + 8 * kept)
    exact = measured.found.min() == 1.0 and max(measured.p99()) < 0.05
    assert exact == same


def test_the_curve_ends_where_the_lattice_does() -> None:
    network = _network(40)
    model = HandModel(load_right_hand(""))
    curve = sampling_curve(network, model, _crops(network), factors=(0.1, 0.5, 1.0, 3.0, 9.0))
    assert [d.points_evaluated for d in curve] == [
        2 * (108 + 160),
        2 * (216 + 320),
        2 * (216 + 960),
    ]
    shares = [found.row()["found"] for found in curve]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_demo_network_has_a_full_size_twin() -> None:
    network = Hoisdf(PRESETS["demo"]).eval()
    other = full_size(network).config
    usual = PRESETS["dexycb"]
    assert (other.hand_points, other.hand_search) == (usual.hand_points, usual.hand_search)
    spacing = usual.sdf_scale * usual.lattice_size / other.sdf_scale / other.lattice_size
    assert spacing == pytest.approx(1.0, abs=0.01)  # as dense, in metres
    dexycb = variant(network, lattice_size=64, hand_points=600, object_points=200, sdf_scale=3.1)
    assert full_size(dexycb).config.lattice_size == 64
