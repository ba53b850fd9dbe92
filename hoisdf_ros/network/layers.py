"""The small pieces several boxes share: convolution blocks, MLPs, attention."""

from itertools import pairwise

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


def conv_block(channels_in: int, channels_out: int, kernel: int) -> nn.Sequential:
    """Convolution with bias, batch norm, ReLU; keeps the resolution."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def upsampling_block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Transposed convolution to twice the resolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(channels_in, channels_out, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def rectified(layer: nn.Linear) -> nn.Linear:
    """Start a layer that a ReLU follows so that signals keep their size (He et al. 2015).

    With torch's usual start they shrink to a third or less a layer, and what an image says of a
    point would reach its token as next to nothing.
    """
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


class MLP(nn.Module):
    """Linear layers with ReLU between them.

    Args:
        widths: Input, hidden and output widths.
        final_relu: Also apply ReLU to the output.
    """

    def __init__(self, *widths: int, final_relu: bool = False) -> None:
        super().__init__()
        layers = [nn.Linear(a, b) for a, b in pairwise(widths)]
        if final_relu:  # not of heads: measured, their answers then waver at usual rates
            layers = [rectified(layer) for layer in layers]
        self.layers = nn.ModuleList(layers)
        self.final_relu = final_relu

    def forward(self, x: Tensor) -> Tensor:
        """(..., widths[0]) to (..., widths[-1])."""
        return self.after_first(self.layers[0](x))

    def after_first(self, x: Tensor) -> Tensor:
        """The rest, given the first layer's (..., widths[1])."""
        for layer in list(self.layers)[1:]:
            x = layer(F.relu(x))
        return F.relu(x) if self.final_relu else x


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017).

    Args:
        dim: Token width D.
        heads: Heads; D must divide by them.
        dropout: Share of attention weights dropped in training.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.output = nn.Linear(dim, dim)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None
    ) -> Tensor:
        """Let each query look at the keys.

        Args:
            query: (B, N, D).
            key, value: (B, M, D).
            allowed: (N, M) bool, which keys a query may look at; None for all.

        Returns:
            (B, N, D).
        """
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, tokens, D/heads)
            for layer, x in ((self.query, query), (self.key, key), (self.value, value))
        )
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed, dropout_p=dropout)
        merged: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return merged
