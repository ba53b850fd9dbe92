"""The weights in a ``.tflite`` file, layer by layer, without TensorFlow.

Such a file is a flatbuffer: tables that point at each other by offsets, whose layout the schema
of TensorFlow Lite gives by field numbers. Only what leads to the weights is read here; the
architecture is ours (`detection.palm`, `detection.landmarks`). Plain numbers come out, nothing
in the file is executed.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hoisdf_ros.errors import CheckpointError, reason

IDENTIFIER = b"TFL3"

_DTYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<f4"), 1: np.dtype("<f2"), 2: np.dtype("<i4")}
_CONV, _DEPTHWISE, _DEQUANTIZE, _FULLY_CONNECTED, _PRELU = 3, 4, 6, 9, 54
_LAYERS = (_CONV, _DEPTHWISE, _FULLY_CONNECTED, _PRELU)

# Field numbers in the schema.
_MODEL_CODES, _MODEL_SUBGRAPHS, _MODEL_BUFFERS = 1, 2, 4
_GRAPH_TENSORS, _GRAPH_OPERATORS = 0, 3
_TENSOR_SHAPE, _TENSOR_TYPE, _TENSOR_BUFFER = 0, 1, 2
_OPERATOR_CODE, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 0, 1, 2
_CODE_OLD, _CODE = 0, 3
_BUFFER_DATA = 0


@dataclass(frozen=True)
class _Table:
    """A table of the flatbuffer, at ``position`` bytes from its start."""

    content: bytes
    position: int

    def _field(self, number: int) -> int | None:
        """Where a field lies, None when it has its default."""
        start = self.position - self._int("<i", self.position)
        slot = 4 + 2 * number
        if slot >= self._int("<H", start):
            return None
        offset = self._int("<H", start + slot)
        return self.position + offset if offset else None

    def _int(self, layout: str, position: int) -> int:
        if position < 0:
            raise IndexError(position)  # struct would count from the end
        value: int = struct.unpack_from(layout, self.content, position)[0]
        return value

    def number(self, field: int, layout: str) -> int:
        """An integer, 0 by default."""
        at = self._field(field)
        return 0 if at is None else self._int(layout, at)

    def _vector(self, field: int) -> tuple[int, int]:
        """First byte and length of a vector, which may be missing."""
        at = self._field(field)
        if at is None:
            return 0, 0
        start = at + self._int("<I", at)
        return start + 4, self._int("<I", start)

    def integers(self, field: int) -> tuple[int, ...]:
        """A vector of int32."""
        start, count = self._vector(field)
        return struct.unpack_from(f"<{count}i", self.content, start)

    def data(self, field: int) -> bytes:
        """A vector of bytes."""
        start, count = self._vector(field)
        return self.content[start : start + count]

    def tables(self, field: int) -> list["_Table"]:
        """A vector of tables."""
        start, count = self._vector(field)
        if start + 4 * count > len(self.content):
            raise IndexError(count)  # do not even try to list them
        places = range(start, start + 4 * count, 4)
        return [_Table(self.content, at + self._int("<I", at)) for at in places]


def read_layers(content: bytes) -> list[tuple[NDArray[np.float32], ...]]:
    """The constants of every layer that has some, in the order of execution.

    Args:
        content: Of a ``.tflite`` file with float weights, of 16 or 32 bits.

    Returns:
        Per layer weight and bias of a convolution (out, in, height, width) or a fully connected
        layer (out, in), or the slopes (channels,) of a PReLU.

    Raises:
        CheckpointError: It is no such file, or a damaged one.
    """
    if content[4:8] != IDENTIFIER:
        raise CheckpointError(
            f"it begins with {content[:8]!r}, expected the identifier {IDENTIFIER!r} of a .tflite"
        )
    try:
        return list(_layers(_Table(content, struct.unpack_from("<I", content)[0])))
    except (struct.error, IndexError, ValueError, KeyError) as error:
        raise CheckpointError(f"it is damaged, or no .tflite ({reason(error)})") from error


def _layers(model: _Table) -> Iterator[tuple[NDArray[np.float32], ...]]:
    codes = [
        max(code.number(_CODE_OLD, "<b"), code.number(_CODE, "<i"))
        for code in model.tables(_MODEL_CODES)
    ]
    graph = model.tables(_MODEL_SUBGRAPHS)[0]
    tensors, buffers = graph.tables(_GRAPH_TENSORS), model.tables(_MODEL_BUFFERS)
    source: dict[int, int] = {}  # the 16-bit constant behind a tensor that is unpacked at start
    for operator in graph.tables(_GRAPH_OPERATORS):
        kind = codes[operator.number(_OPERATOR_CODE, "<I")]
        inputs = operator.integers(_OPERATOR_INPUTS)
        if kind == _DEQUANTIZE:
            source[operator.integers(_OPERATOR_OUTPUTS)[0]] = inputs[0]
        elif kind in _LAYERS:
            constants = [tensors[source.get(index, index)] for index in inputs[1:]]
            yield tuple(_in_torch_layout(kind, _constant(one, buffers)) for one in constants)


def _constant(tensor: _Table, buffers: list[_Table]) -> NDArray[np.float32]:
    dtype = _DTYPES[tensor.number(_TENSOR_TYPE, "<b")]
    data = buffers[tensor.number(_TENSOR_BUFFER, "<I")].data(_BUFFER_DATA)
    array = np.frombuffer(data, dtype).reshape(tensor.integers(_TENSOR_SHAPE))
    return array.astype(np.float32)


def _in_torch_layout(kind: int, array: NDArray[np.float32]) -> NDArray[np.float32]:
    if kind == _PRELU:
        return array.reshape(-1)  # (1, 1, C)
    if array.ndim == 4:  # (out, height, width, in), depthwise (1, height, width, out)
        return array.transpose(3, 0, 1, 2) if kind == _DEPTHWISE else array.transpose(0, 3, 1, 2)
    return array


def load_layers(network: nn.Module, layers: Sequence[tuple[NDArray[np.float32], ...]]) -> None:
    """Fill a network whose layers are registered in the order in which they are executed.

    Args:
        network: Every parameter is overwritten.
        layers: As `read_layers` gives them.

    Raises:
        CheckpointError: The layers are not those of the network.
    """
    arrays = [array for layer in layers for array in layer]
    parameters = list(network.named_parameters())
    if len(arrays) != len(parameters):
        raise CheckpointError(
            f"it holds {len(arrays)} arrays of weights, expected {len(parameters)}"
        )
    with torch.no_grad():
        for (name, parameter), array in zip(parameters, arrays, strict=True):
            if parameter.shape != array.shape:
                raise CheckpointError(
                    f"the weights for '{name}' are {array.shape}, expected {tuple(parameter.shape)}"
                )
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
