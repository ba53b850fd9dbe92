"""A data set made of nothing: noise pictures with a stand-in hand and a packaged object."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hoisdf_ros.config import PRESETS, BackboneConfig, DecoderConfig, NetworkConfig
from hoisdf_ros.conventions import Side
from hoisdf_ros.data.sample import Sample, box_around
from hoisdf_ros.data.shards import ShardData
from hoisdf_ros.datatypes import Camera, ManoParameters
from hoisdf_ros.geometry.mesh import box_corners, transform
from hoisdf_ros.geometry.primitives import box
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.hand_model.mano import HandGeometry, HandModel
from hoisdf_ros.hand_model.stand_in import load_stand_in
from hoisdf_ros.postprocessing.objects import KnownObject
from hoisdf_ros.training.batch import ExampleMaker
from hoisdf_ros.training.settings import TrainConfig
from hoisdf_ros.training.stream import TrainingData
from hoisdf_ros.training.train import train

CAMERA = Camera(240.0, 240.0, 79.5, 59.5, 160, 120)

TINY = replace(
    PRESETS["demo"],
    name="tiny",
    hand_head="mano",
    backbone=BackboneConfig(blocks=(1, 1, 1, 1), bottleneck=False, width=8),
    decoder=DecoderConfig((8, 8, 16, 16, 16), (8, 8, 8, 8), True, (8,)),
    image_size=64,
    lattice_size=6,
    hand_points=24,
    object_points=16,
    dim=64,
    feedforward=64,
    hand_encoder_layers=2,
    object_encoder_layers=1,
    hand_decoder_layers=2,
    field_input_widths=(16,),
    field_width=64,
    token_widths=(16,),
)


class Bricks:
    """An object library that knows a brick."""

    brick = KnownObject("brick", box((0.05, 0.06, 0.1)))

    def get(self, object_id: str) -> KnownObject | None:
        return self.brick if object_id == "brick" else None


class NoiseSet:
    """Right and left hands in noise; with ``deadly``, reading that many kills the process."""

    def __init__(self, count: int, deadly: int = 0) -> None:
        self.deadly, self.reads = deadly, 0
        self.keys = tuple(f"noise/{index}" for index in range(count))
        right = HandModel(load_stand_in(Side.RIGHT))
        self._hands = {Side.RIGHT: right, Side.LEFT: right.mirrored()}

    def __len__(self) -> int:
        return len(self.keys)

    def usable(self, index: int) -> bool:
        return index >= 0

    def __getitem__(self, index: int) -> Sample:
        self.reads += 1
        if self.reads == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        rng = np.random.default_rng(index)
        side = Side.LEFT if index % 3 == 2 else Side.RIGHT
        root = np.array([0.03, 0.0, 0.55]) + rng.uniform(-0.02, 0.02, 3)
        pose = rng.uniform(-0.4, 0.4, (16, 3))
        betas = rng.uniform(-1, 1, 10)
        rotations = torch.from_numpy(matrix_from_rotation_vector(pose)).float()
        with torch.no_grad():
            posed: HandGeometry = self._hands[side](
                rotations[None], torch.from_numpy(betas).float()[None]
            )
        joints = posed.joints[0].double().numpy() + root
        rotation = matrix_from_rotation_vector(rng.uniform(-1, 1, 3))
        center = joints.mean(axis=0) + np.array([0.0, 0.02, 0.03])
        corners = transform(box_corners(Bricks.brick.mesh.vertices), rotation, center)
        mask = np.zeros((120, 160), np.bool_)
        mask[40:80, 50:100] = True
        return Sample(
            key=self.keys[index],
            image=rng.integers(0, 256, (120, 160, 3), dtype=np.uint8),
            camera=CAMERA,
            side=side,
            hand_root=joints[0],
            joints=joints,
            mano=ManoParameters(pose[0], pose[1:].ravel(), betas, joints[0]),
            object_id="brick",
            object_rotation=rotation,
            object_translation=center,
            hand_mask=mask,
            object_mask=~mask,
            hand_box=box_around(joints, CAMERA),
            object_box=box_around(corners, CAMERA),
        )


def noise_data(deadly: int = 0) -> TrainingData:
    return TrainingData("noise", NoiseSet(8, deadly), NoiseSet(4), Bricks())


def named_data(name: str) -> TrainingData:
    """``noise``, or ``shards:FOLDER`` of noise; for processes that tests start."""
    kind, _, folder = name.partition(":")
    if kind == "noise":
        return noise_data()
    return TrainingData("shards", ShardData(Path(folder)), NoiseSet(4), Bricks())


def noise_config(epochs: int = 3) -> TrainConfig:
    """A run of four steps an epoch for one process, with every kind of query points."""
    PRESETS["tiny"] = TINY
    return TrainConfig(
        preset="tiny",
        held_out=3,
        epochs=epochs,
        batch_size=2,
        learning_rate=1e-3,
        warmup_steps=2,
        decay_epochs=1,
        true_points_epochs=1,
        freeze_norm=False,
        workers=0,
        device="cpu",
        log_every=1,
        save_every=3,
    )


def run(out: Path, deadly: int = 0) -> None:
    """Train on noise; for processes that tests start."""
    torch.set_num_threads(1)
    train(noise_config(), noise_data(deadly), out, resume=True)


@pytest.fixture(scope="module")
def config() -> Iterator[TrainConfig]:
    yield noise_config()
    del PRESETS["tiny"]


@pytest.fixture
def data() -> TrainingData:
    return noise_data()


@pytest.fixture(scope="session")
def noise() -> NoiseSet:
    return NoiseSet(8)


@pytest.fixture(scope="session")
def tiny() -> NetworkConfig:
    return TINY


@pytest.fixture(scope="session")
def maker() -> ExampleMaker:
    return ExampleMaker(TINY, HandModel(load_stand_in(Side.RIGHT)), Bricks())
