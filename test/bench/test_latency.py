"""The stage timer: it times what the network does, and says on what."""

from dataclasses import replace

import pytest
import torch

from hoisdf_ros.bench.latency import STAGES, describe_machine, synthetic_input, time_stages
from hoisdf_ros.cli.main import main
from hoisdf_ros.config import PRESETS
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.point_features import project
from hoisdf_ros.network.point_sampler import inside_box


def test_counts_the_runs_of_every_stage_but_the_first() -> None:
    model = Hoisdf(
        replace(PRESETS["demo"], lattice_size=8, hand_points=20, object_points=10)
    ).eval()
    timings = time_stages(model, synthetic_input(256), runs=3)
    assert tuple(timing.stage for timing in timings) == STAGES
    assert all(len(timing.milliseconds) == 3 for timing in timings)
    assert all(timing.median > 0 for timing in timings)


def test_the_input_has_points_to_find() -> None:
    inputs = synthetic_input(256)
    corner = torch.tensor([[[0.05, 0.05, 0.0], [0.3, 0.3, 0.0]]]) + inputs.hand_root
    pixels, visible = project(corner, inputs.intrinsics)
    assert inside_box(pixels, visible, inputs.hand_box).tolist() == [[True, False]]


def test_the_command_prints_each_stage_beside_the_papers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["bench", "--preset", "demo", "--runs", "1", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    for stage, paper in zip(STAGES, ("10.6", "11.5", "10.9"), strict=True):
        (line,) = [line for line in printed.splitlines() if line.startswith(stage)]
        assert line.endswith(paper)
    assert describe_machine("cpu") in printed
