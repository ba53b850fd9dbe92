"""The measure of the coarse-to-fine search, on differences that are known."""

from dataclasses import replace

import pytest
import torch

from hoisdf_ros.bench.latency import synthetic_input
from hoisdf_ros.bench.sampling import sampling_differences, share_found
from hoisdf_ros.config import PRESETS
from hoisdf_ros.hand_model.mano import HandModel
from hoisdf_ros.hand_model.stand_in import load_right_hand
from hoisdf_ros.network.io import joined
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.search_budget import SearchBudget


def test_share_of_points_found() -> None:
    points = torch.rand(2, 10, 3)
    mixed = torch.stack([points[0].flip(0), torch.cat([points[1, :5], points[0, 5:]])])
    assert share_found(points, mixed).tolist() == [1.0, 0.5]


@pytest.mark.parametrize(("kept", "same"), [(120, True), (10, False)])
def test_nothing_differs_until_the_budget_is_too_small(kept: int, same: bool) -> None:
    torch.manual_seed(0)
    budget = SearchBudget(216, (kept,))
    network = Hoisdf(
        replace(
            PRESETS["demo"],
            lattice_size=12,
            hand_points=60,
            object_points=40,
            hand_search=budget,
            object_search=budget,
        )
    ).eval()
    size = network.config.image_size
    crops = [joined([synthetic_input(size, seed) for seed in range(2)]), synthetic_input(size, 2)]
    measured = sampling_differences(network, HandModel(load_right_hand("")), crops)
    assert len(measured.joint_mm) == len(measured.object_degrees) == 3
    assert measured.points_evaluated == 2 * (216 + 8 * kept)
    exact = measured.found.min() == 1.0 and max(measured.p99()) < 0.05
    assert exact == same
