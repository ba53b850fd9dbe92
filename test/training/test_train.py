"""Runs on noise: a killed one goes on as if nothing had happened; what is wrong stops it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hoisdf_ros.atomic import PARTIAL
from hoisdf_ros.config import PRESETS
from hoisdf_ros.errors import CheckpointError, TrainingError
from hoisdf_ros.network.checkpoint import load_checkpoint
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.training.batch import Batch
from hoisdf_ros.training.checkpoints import BEST, LAST, read_checkpoint
from hoisdf_ros.training.journal import LOG
from hoisdf_ros.training.objective import Losses, Objective, QueryPlan
from hoisdf_ros.training.settings import TrainConfig
from hoisdf_ros.training.stream import TrainingData
from hoisdf_ros.training.train import parameter_groups, train

RUN = f"""
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("noise", {str(Path(__file__).with_name("conftest.py"))!r})
noise = module_from_spec(spec)
spec.loader.exec_module(noise)
noise.run(Path(sys.argv[1]), int(sys.argv[2]))
"""
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONPATH": str(Path(__file__).parents[2]),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lines(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / LOG).read_text().splitlines()]


def script(tmp_path: Path) -> Path:
    path = tmp_path / "run.py"
    path.write_text(RUN)
    return path


def test_a_killed_run_goes_on_bit_for_bit(
    tmp_path: Path, config: TrainConfig, data: TrainingData
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    train(config, data, whole)
    command = [sys.executable, str(script(tmp_path)), str(killed)]
    died = subprocess.run([*command, "15"], env=ENVIRONMENT, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert read_checkpoint(killed / LAST)["step"] == 6
    assert lines(killed)[-1]["step"] == 7
    (killed / f"{LAST}.1{PARTIAL}").write_bytes(b"half a checkpoint")
    train(config, data, killed, resume=True)
    assert lines(killed) == lines(whole)
    assert [line["step"] for line in lines(whole) if "loss/total" in line] == list(range(1, 13))
    ours, theirs = read_checkpoint(killed / LAST), read_checkpoint(whole / LAST)
    for name, value in ours["network"].items():
        assert torch.equal(value, theirs["network"][name]), name


def test_a_run_leaves_weights_that_load_and_says_where_they_come_from(
    tmp_path: Path, config: TrainConfig, data: TrainingData
) -> None:
    train(replace(config, epochs=1), data, tmp_path)
    for name in (LAST, BEST):
        load_checkpoint(tmp_path / name, Hoisdf(PRESETS["tiny"]))
    content = read_checkpoint(tmp_path / LAST)
    assert (content["preset"], content["data"], content["seed"]) == ("tiny", "noise", 0)
    assert content["config"]["augment"]["zoom"] == 0.2
    assert len(content["code"]) >= 7
    assert (tmp_path / "pictures" / "epoch_001.png").is_file()
    assert len(list((tmp_path / "events").iterdir())) == 1
    held_out = next(line for line in lines(tmp_path) if "held_out/mje_mm" in line)
    assert 1 < held_out["held_out/mean_pose_mje_mm"] < 100


def test_two_processes_train_one_network(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2"]
    port = ["--master-port=0", "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0"]
    out = tmp_path / "out"
    done = subprocess.run(
        [*command, *port, str(script(tmp_path)), str(out), "0"],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    content = read_checkpoint(out / LAST)
    assert content["step"] == 6  # two steps an epoch: each process takes half
    assert content["training"]["world"] == 2


def test_noise_can_be_learnt_by_heart(
    tmp_path: Path, config: TrainConfig, data: TrainingData
) -> None:
    train(replace(config, epochs=8, learning_rate=0.003), data, tmp_path)
    totals = [line["loss/total"] for line in lines(tmp_path) if "loss/total" in line]
    assert sum(totals[-8:]) < 0.75 * sum(totals[:8])


def test_a_loss_that_is_not_finite_stops_and_leaves_the_batch(
    tmp_path: Path, config: TrainConfig, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, calls = Objective.forward, []

    def broken(self: Objective, batch: Batch, plan: QueryPlan) -> Losses:
        losses = forward(self, batch, plan)
        calls.append(1)
        if len(calls) < 5:
            return losses
        nan = losses.total * float("nan")
        return losses._replace(total=nan, terms=losses.terms | {"heatmap": nan.detach()})

    monkeypatch.setattr(Objective, "forward", broken)
    with pytest.raises(TrainingError, match=r"step 4: heatmap is not finite.*from step 4"):
        train(config, data, tmp_path)
    saved = torch.load(tmp_path / "bad_batch_0.pth", weights_only=True)
    assert len(saved["keys"]) == 2
    assert saved["inputs"]["image"].shape == (2, 3, 64, 64)
    assert read_checkpoint(tmp_path / LAST)["step"] == 4


def test_a_folder_with_a_run_in_it_is_not_overwritten(
    tmp_path: Path, config: TrainConfig, data: TrainingData
) -> None:
    train(replace(config, epochs=1), data, tmp_path)
    with pytest.raises(TrainingError, match="--resume"):
        train(config, data, tmp_path)
    with pytest.raises(CheckpointError, match=r"batch_size 2 \(now 4\)"):
        train(replace(config, batch_size=4), data, tmp_path, resume=True)


def test_too_few_samples_are_refused(
    tmp_path: Path, config: TrainConfig, data: TrainingData
) -> None:
    with pytest.raises(TrainingError, match="noise has 8 samples, too few for one step of 9"):
        train(replace(config, batch_size=9), data, tmp_path)


def test_backbone_and_decoder_learn_at_rates_of_their_own() -> None:
    network = Hoisdf(PRESETS["demo"])
    network.hand_density.requires_grad_(False)
    groups = parameter_groups(network, TrainConfig(backbone_rate=0.5, decoder_rate=2.0))
    rates = {id(p): group["scale"] for group in groups for p in group["params"]}
    for name, parameter in network.named_parameters():
        expected = {"backbone": 0.5, "decoder": 2.0, "hand_density": None}
        assert rates.get(id(parameter)) == expected.get(name.partition(".")[0], 1.0)
