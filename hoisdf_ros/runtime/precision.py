"""Half precision, set in the network itself, so that every exporter and compiler sees the same.

TensorRT's own choice of precisions is gone in newer versions, which ignore the option silently.
"""

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hoisdf_ros.network.model import Hoisdf

TYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

_LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
_LIKE_WEIGHTS = (F.linear, F.conv2d, F.conv_transpose2d, torch.conv2d, torch.conv_transpose2d)
_SINGLE = (F.layer_norm, F.grid_sample)
_PROMOTED = (torch.cat, torch.stack)


def in_precision(network: Hoisdf, precision: str) -> Hoisdf:
    """The network with its matrix products in that precision.

    Single precision stay: projection and sampling positions, distances and everything that ranks
    them, encodings of positions, norms, the residual streams, and the heads.

    Args:
        network: For serving; left as it is.
        precision: fp32, fp16 or bf16.
    """
    if precision == "fp32":
        return network
    mixed = copy.deepcopy(network)
    mixed.__class__ = MixedHoisdf
    fields = (mixed.hand_field, mixed.object_field)
    parts: Iterable[nn.Module] = (
        *(mixed.backbone, mixed.decoder, mixed.field_input, mixed.token_input),
        *(mixed.hand_encoder, mixed.object_encoder, mixed.hand_decoder),
        *(field.layers for field in fields),  # but for the last layer, which gives the distance
    )
    for part in parts:
        for layer in part.modules():
            if isinstance(layer, _LAYERS):
                layer.to(TYPES[precision])
    return mixed


class _Casts(TorchFunctionMode):
    """Brings what meets in an operation to one type: activations to that of the weights."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        if func in _LIKE_WEIGHTS:
            args = (args[0].to(args[1].dtype), *args[1:])
        elif func in _SINGLE:
            args = (args[0].float(), *args[1:])
        elif func is F.embedding_bag:  # which reads rows of feature maps, see `pixel_reader`
            args = (args[0], args[1].float(), *args[2:])
        elif func in _PROMOTED:
            args = (_promoted(args[0]), *args[1:])
        return func(*args, **(kwargs or {}))


def _promoted(tensors: Iterable[Tensor]) -> list[Tensor]:
    tensors = list(tensors)
    if all(tensor.dtype == tensors[0].dtype for tensor in tensors):
        return tensors
    return [tensor.float() for tensor in tensors]


def _casting(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        with _Casts():
            return method(*args, **kwargs)

    return run


class MixedHoisdf(Hoisdf):
    """A network whose costly layers are of half precision, with explicit casts around them."""

    image_features = _casting(Hoisdf.image_features)
    query_points = _casting(Hoisdf.query_points)
    regress = _casting(Hoisdf.regress)
    hand_distance = _casting(Hoisdf.hand_distance)
    object_distance = _casting(Hoisdf.object_distance)
