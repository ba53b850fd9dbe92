"""The moving average of the weights, which is steadier than the weights themselves."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of parameters and of batch norm's statistics.

    Args:
        network: What is averaged.
        decay: Weight of the past; less at first, so that the start is soon forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.values = {name: value.detach().clone() for name, value in _entries(network).items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for name, value in _entries(network).items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - decay)
            else:
                self.values[name].copy_(value)

    @torch.no_grad()
    def load(self, values: Mapping[str, Tensor], updates: int) -> None:
        """Go on from a checkpoint's average."""
        self.updates = updates
        for name, value in values.items():
            self.values[name].copy_(value)


def _entries(network: nn.Module) -> dict[str, Tensor]:
    entries: dict[str, Tensor] = network.state_dict()
    return entries
