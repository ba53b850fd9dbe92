"""Differences in millimetres and degrees, and what is refused."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from hoisdf_ros.errors import BackendError
from hoisdf_ros.network.io import NetworkInput, NetworkOutput
from hoisdf_ros.runtime.accuracy import LIMITS, PROBES, check, differences, probes
from test.runtime.small import CONFIG, small_serving


def changed(part: str, change: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """What is found when one tensor of the answer is changed in the last probe only."""
    network = small_serving()
    crops = probes(CONFIG.image_size, "cpu")

    def other(inputs: NetworkInput) -> NetworkOutput:
        output: NetworkOutput = network(inputs)
        if inputs is not crops[-1]:
            return output
        owner, name = part.split(".")
        old = getattr(output, owner)
        return output._replace(**{owner: old._replace(**{name: change(getattr(old, name))})})

    return differences(network, other, crops)


def test_an_equal_answer_differs_by_nothing() -> None:
    assert set(changed("joints.joints", lambda x: x).values()) == {0.0}
    assert len(probes(64, "cpu")) == PROBES


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("joints.joints", "joints_mm"),
        ("object.translation", "object_mm"),
        ("features.hand_mask", "mask"),
        ("features.object_mask", "mask"),
        ("object.rotation", "rotation_deg"),
        ("hand.rotations", "rotation_deg"),
    ],
)
def test_nan_is_found_and_refused(part: str, name: str) -> None:
    found = changed(part, lambda x: x * math.nan)
    assert math.isnan(found[name])
    with pytest.raises(BackendError, match=f"{name} nan"):
        check(found, "bf16")


def test_differences_have_units() -> None:
    moved = torch.tensor([0.003, 0.0, -0.004])
    assert changed("joints.joints", lambda x: x + moved)["joints_mm"] == pytest.approx(5, rel=1e-3)
    assert changed("object.translation", lambda x: x + moved)["object_mm"] == pytest.approx(
        5, rel=1e-3
    )
    turned = changed("object.rotation", lambda x: x * (1 + math.radians(2) / x.norm()))
    assert turned["rotation_deg"] == pytest.approx(2, rel=1e-3)


def test_the_limits_are_kept_and_named() -> None:
    fine = dict.fromkeys(LIMITS["fp16"], 0.0)
    check(fine, "fp16")
    with pytest.raises(BackendError, match=r"fp16 .*joints_mm 2\.01 \(at most 2\).*fp32"):
        check(fine | {"joints_mm": 2.01}, "fp16")
