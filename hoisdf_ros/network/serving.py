"""A copy of a trained network that serves: the same answers from less arithmetic."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.nn.utils.parametrize import is_parametrized

from hoisdf_ros.config import Sampler
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.pixel_reader import GRID, ROWS


@torch.no_grad()
def serving_copy(network: Hoisdf, sampler: Sampler | None = None, *, rows: bool = False) -> Hoisdf:
    """The network as it is run when nothing is learnt any more.

    Batch norm is folded into the convolutions and weight norm into the weights, what depends on
    no input is computed once, and the convolutions work in channels-last order. Every output is
    the original's up to rounding. Its ``state_dict`` is another: load weights before, not after.

    Args:
        network: Weights loaded; left as it is.
        sampler: How query points are found; None: as ``network`` finds them.
        rows: Read feature maps as tables of rows: many times faster on a CPU, but nothing for
            TensorRT.

    Raises:
        ConfigError: The budgets of the coarse-to-fine search do not fit the lattice.
    """
    copied = copy.deepcopy(network).eval().requires_grad_(False)
    if sampler is not None:
        copied.search_with(sampler)
    copied.lookup = ROWS if rows else GRID
    fold_batch_norms(copied)
    fold_weight_norms(copied)
    copied.hand_decoder.settle()
    for part in copied.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            part.weight.data = part.weight.contiguous(memory_format=torch.channels_last)
    return copied


def fold_batch_norms(model: nn.Module) -> None:
    """Put each batch norm that follows a convolution in a `nn.Sequential` into its weights.

    Args:
        model: In evaluation mode; changed in place.
    """
    for block in [part for part in model.modules() if isinstance(part, nn.Sequential)]:
        for index in range(1, len(block)):
            before, norm = block[index - 1], block[index]
            if isinstance(norm, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
                block[index - 1] = fuse_conv_bn_eval(before, norm)
                block[index] = nn.Identity()
            elif isinstance(norm, nn.BatchNorm2d) and isinstance(before, nn.ConvTranspose2d):
                block[index - 1] = fuse_conv_bn_eval(before, norm, transpose=True)
                block[index] = nn.Identity()


def fold_weight_norms(model: nn.Module) -> None:
    """Replace linear layers of normalised weights by plain ones; changed in place."""
    for part in list(model.modules()):
        for name, layer in part.named_children():
            if is_parametrized(layer, "weight"):
                assert isinstance(layer, nn.Linear)
                # differs: `remove_parametrizations` would also change the network copied from,
                # whose layers are of the same class
                plain = nn.Linear(layer.in_features, layer.out_features, device="meta")
                plain.weight, plain.bias = nn.Parameter(layer.weight), layer.bias
                setattr(part, name, plain.requires_grad_(False))
