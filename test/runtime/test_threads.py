"""Small networks run on one thread, unless another number is asked for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from hoisdf_ros.config import EstimatorConfig
from hoisdf_ros.runtime import threads
from hoisdf_ros.runtime.choice import Source, make_backend
from hoisdf_ros.runtime.threads import use_threads
from test.runtime.small import small_network


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("width", "wanted", "expected"), [(10, 0, 1), (10, 2, 2), (4000, 0, 3), (4000, 1, 1)]
)
def test_threads_are_as_many_as_pay_or_as_are_wanted(
    width: int, wanted: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "USUAL", 3)
    network = nn.Linear(width, width, device="meta")
    assert use_threads(network, wanted) == torch.get_num_threads() == expected


@pytest.mark.parametrize(("wanted", "expected"), [(0, 1), (2, 2)])
def test_a_backend_on_a_cpu_sets_them(wanted: int, expected: int, tmp_path: Path) -> None:
    torch.set_num_threads(4)
    config = EstimatorConfig(device="cpu", cpu_threads=wanted, engine_cache_dir=str(tmp_path))
    make_backend(Source(small_network(), "abc", replace(config, backend="eager")))
    assert torch.get_num_threads() == expected
