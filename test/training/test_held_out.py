"""The quick measure: a known error, and a drawing of it."""

import numpy as np
import pytest
import torch

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.data.augment import Variation
from hoisdf_ros.data.sample import SampleSet
from hoisdf_ros.network.io import HandParameters, NetworkInput, NetworkOutput
from hoisdf_ros.network.model import Capacity, Hoisdf
from hoisdf_ros.training.batch import Batch, ExampleMaker, collate
from hoisdf_ros.training.held_out import measure


class Knowing(Hoisdf):
    """Knows the answers, but for the object's place."""

    batch: Batch

    def forward(self, inputs: NetworkInput, capacity: Capacity | None = None) -> NetworkOutput:  # noqa: ARG002
        output = super().forward(inputs)
        targets = self.batch.targets
        hand = HandParameters(targets.rotations, targets.shape)
        off = targets.object_translation + torch.tensor([0.003, 0.004, 0.0])
        held = output.object._replace(translation=off)
        joints = output.joints._replace(joints=targets.joints + 0.0)
        return output._replace(hand=hand, object=held, joints=joints)


def test_errors_are_in_millimetres(
    maker: ExampleMaker, noise: SampleSet, tiny: NetworkConfig
) -> None:
    rng = np.random.default_rng(0)
    batch = collate([maker(noise[k], Variation(), rng) for k in range(3)])
    network = Knowing(tiny).eval()
    network.batch = batch
    errors, picture = measure(network, maker.hand_model, [batch])
    assert errors["mje_mm"] == pytest.approx(0, abs=0.01)
    assert errors["votes_mje_mm"] == 0
    assert errors["object_mm"] == pytest.approx(5, abs=1e-3)
    joints = batch.targets.joints
    expected = 1000 * (joints - joints.mean(dim=0)).norm(dim=-1).mean()
    assert errors["mean_pose_mje_mm"] == pytest.approx(float(expected))
    assert picture.shape == (64, 3 * 64, 3)
    red = (picture[..., 0] > 200) & (picture[..., 1] < 100)
    assert red.any()
