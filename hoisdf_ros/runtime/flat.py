"""The network as engines know it: tensors in, tensors out, each with a name."""

from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor, nn

from hoisdf_ros.config import NetworkConfig
from hoisdf_ros.network.io import (
    FieldPoints,
    HandParameters,
    ImageFeatures,
    JointVotes,
    NetworkInput,
    NetworkOutput,
    ObjectVotes,
    QueryPoints,
)
from hoisdf_ros.network.model import Hoisdf

INPUT_NAMES = NetworkInput._fields
_OUTPUTS = 21


class FlatNetwork(nn.Module):
    """The network without named tuples, in single precision at its borders.

    Args:
        network: Of one preset; its parts may be of another precision.
    """

    def __init__(self, network: Hoisdf) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        image: Tensor,
        intrinsics: Tensor,
        hand_root: Tensor,
        object_center: Tensor,
        hand_box: Tensor,
        object_box: Tensor,
    ) -> tuple[Tensor, ...]:
        """The fields of `NetworkInput` to what `flattened` makes of a `NetworkOutput`."""
        inputs = NetworkInput(image, intrinsics, hand_root, object_center, hand_box, object_box)
        return tuple(value.float() for value in flattened(self.network(inputs)))


def binding_names(config: NetworkConfig) -> list[str]:
    """What engines call the tensors of `flattened`: as Torch-TensorRT names them."""
    count = _OUTPUTS if config.hand_head == "mano" else _OUTPUTS - 1  # no rotations
    return [f"output{index}" for index in range(count)]


def flattened(output: NetworkOutput) -> list[Tensor]:
    """Every tensor of an output, in the order of its fields."""
    return list(_tensors(output))


def restored(tensors: Sequence[Tensor]) -> NetworkOutput:
    """The output that `flattened` was given."""
    values = iter(tensors)
    features = ImageFeatures(tuple(_take(values, 5)), *_take(values, 3))
    queries = QueryPoints(FieldPoints(*_take(values, 2)), FieldPoints(*_take(values, 2)))
    joints = JointVotes(*_take(values, 3))
    *hand, a, b, c, d = values
    parameters = HandParameters(*hand) if len(hand) == 2 else HandParameters(None, *hand)
    return NetworkOutput(features, queries, joints, parameters, ObjectVotes(a, b, c, d))


def input_sizes(image_size: int) -> tuple[tuple[int, ...], ...]:
    """Sizes of the inputs for one crop.

    Args:
        image_size: Side of the crop, pixels.
    """
    return ((1, 3, image_size, image_size), (1, 3, 3), (1, 3), (1, 3), (1, 4), (1, 4))


def one_by_one(inputs: NetworkInput) -> list[NetworkInput]:
    """The entries of a batch, a batch of one each."""
    return [
        NetworkInput(*(value[entry : entry + 1] for value in inputs))
        for entry in range(len(inputs.image))
    ]


def batched(entries: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Flat outputs of batches of one as a batch."""
    if len(entries) == 1:
        return list(entries[0])
    return [torch.cat(parts) for parts in zip(*entries, strict=True)]


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_tensors, value))


def _take(values: Iterator[Tensor], count: int) -> list[Tensor]:
    return [next(values) for _ in range(count)]
