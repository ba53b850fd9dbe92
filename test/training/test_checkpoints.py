"""Checkpoints are whole or not there; the average of the weights goes on from them."""

import errno
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from hoisdf_ros.errors import CheckpointError, TrainingError
from hoisdf_ros.training.average import WeightAverage
from hoisdf_ros.training.checkpoints import code_version, read_checkpoint, write_checkpoint
from hoisdf_ros.training.journal import Journal

CONTENT = {"network": {"a": torch.arange(3.0)}, "training": {"step": 7}}


def test_it_reads_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    write_checkpoint(path, CONTENT)
    content = read_checkpoint(path)
    assert content["training"] == {"step": 7}
    assert torch.equal(content["network"]["a"], torch.arange(3.0))
    assert [file.name for file in tmp_path.iterdir()] == ["a.pth"]


def test_a_full_disk_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pth"
    write_checkpoint(path, CONTENT)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*make room"):
        write_checkpoint(path, {"training": {"step": 8}})
    assert read_checkpoint(path)["training"] == {"step": 7}
    assert [file.name for file in tmp_path.iterdir()] == ["a.pth"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_stops_the_log(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 0)
    (tmp_path / "log.jsonl").symlink_to("/dev/full")
    with pytest.raises(TrainingError, match="No space left"):
        journal.write(1, {"loss": 1.0})


def test_half_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    write_checkpoint(path, CONTENT)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(path)
    write_checkpoint(path, {"network": {}})
    with pytest.raises(CheckpointError, match="no training state"):
        read_checkpoint(path)
    with pytest.raises(CheckpointError, match="no such file"):
        read_checkpoint(tmp_path / "none.pth")


def test_the_code_says_its_commit() -> None:
    assert code_version()


def test_the_log_drops_what_a_killed_run_wrote_after_its_checkpoint(tmp_path: Path) -> None:
    first = Journal(tmp_path, 0)
    for step in (1, 2, 3):
        first.write(step, {"loss": float(step)})
    Journal(tmp_path, 2)
    assert (tmp_path / "log.jsonl").read_text().count("\n") == 2
    (tmp_path / "log.jsonl").write_text("not a log\n")
    with pytest.raises(TrainingError, match="move it out of the way"):
        Journal(tmp_path, 2)


def test_the_average_follows_the_weights_and_goes_on() -> None:
    linear, norm = nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1)
    network, weight = nn.Sequential(linear, norm), linear.weight
    nn.init.zeros_(weight)
    average = WeightAverage(network, 0.5)
    nn.init.ones_(weight)
    average.update(network)  # the first counts nine tenths
    assert float(average.values["0.weight"]) == pytest.approx(0.9)
    again = WeightAverage(network, 0.5)
    again.load(average.values, average.updates)
    for one in (average, again):
        nn.init.zeros_(weight)
        norm.train()(torch.zeros(2, 1))
        one.update(network)
    assert torch.equal(average.values["0.weight"], again.values["0.weight"])
    assert int(again.values["1.num_batches_tracked"]) == 2
