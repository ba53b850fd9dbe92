"""Attention among the points, and from learnt hand queries to the points (Sec. 3.2.4, 1.2)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from hoisdf_ros.network.layers import Attention


@dataclass(frozen=True)
class LayerSize:
    """What all layers of encoders and decoder share.

    Args:
        dim: Token width D.
        heads: Attention heads; D must divide by them.
        hidden: Width inside the feed-forward part.
        dropout: Share of attention weights and channels dropped in training.
    """

    dim: int
    heads: int
    hidden: int
    dropout: float = 0.1

    def attention(self) -> Attention:
        """A new attention."""
        return Attention(self.dim, self.heads, self.dropout)

    def norm(self) -> nn.LayerNorm:
        """A new norm over the D channels."""
        return nn.LayerNorm(self.dim)


class FeedForward(nn.Module):
    """Two linear layers with ReLU and dropout between them."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__()
        self.widen = nn.Linear(size.dim, size.hidden)
        self.narrow = nn.Linear(size.hidden, size.dim)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) to (B, N, D)."""
        out: Tensor = self.narrow(self.dropout(F.relu(self.widen(x))))
        return out


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each followed by its norm (post-norm)."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__()
        self.attention = size.attention()
        self.feedforward = FeedForward(size)
        self.norm_attention, self.norm_feedforward = size.norm(), size.norm()
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, x: Tensor, wanted: int | None = None) -> Tensor:
        """(B, N, D) to (B, N, D); or only the first ``wanted`` of the N tokens."""
        asked = x[:, :wanted]
        x = self.norm_attention(asked + self.dropout(self.attention(asked, x, x)))
        out: Tensor = self.norm_feedforward(x + self.dropout(self.feedforward(x)))
        return out


class Encoded(NamedTuple):
    """What an encoder gives.

    Attributes:
        memory: (B, N, D) the last layer's output, which a decoder reads.
        layers: The normalised output (B, N, D) of every layer, which the heads read.
    """

    memory: Tensor
    layers: list[Tensor]


class Encoder(nn.Module):
    """Point-wise attention; no position is added, since the token holds it."""

    def __init__(self, size: LayerSize, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(size) for _ in range(depth))
        self.norm = size.norm()

    def forward(self, x: Tensor) -> Encoded:
        """Attend among (B, N, D) tokens."""
        outputs = []
        for layer in self.layers:
            x = layer(x)
            outputs.append(self.norm(x))
        return Encoded(x, outputs)

    def last(self, x: Tensor, wanted: int) -> tuple[Tensor, Tensor]:
        """What `forward` gives of the first tokens after the last layer, with nothing besides.

        Args:
            x: (B, N, D) tokens.
            wanted: How many tokens W are read afterwards.

        Returns:
            Memory and normalised output, (B, W, D) each.
        """
        *before, final = self.layers
        for layer in before:
            x = layer(x)
        memory = final(x, wanted)
        return memory, self.norm(memory)


class DecoderLayer(nn.Module):
    """Self-attention among the queries, attention to the memory, feed-forward (post-norm)."""

    def __init__(self, size: LayerSize) -> None:
        super().__init__()
        self.self_attention, self.attention = size.attention(), size.attention()
        self.feedforward = FeedForward(size)
        self.norm_self, self.norm_attention = size.norm(), size.norm()
        self.norm_feedforward = size.norm()
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, x: Tensor, position: Tensor, memory: Tensor, allowed: Tensor) -> Tensor:
        """Refine the queries' content.

        Args:
            x: (B, Q, D) content.
            position: (B, Q, D) learnt query positions, added to queries and keys only.
            memory: (B, N, D) point tokens.
            allowed: (Q, Q) bool, which queries see each other.
        """
        return self.read(self.confer(x, position, allowed), position, memory)

    def confer(self, x: Tensor, position: Tensor, allowed: Tensor) -> Tensor:
        """Attention among the queries; arguments and result as of `forward`."""
        placed = x + position
        out: Tensor = self.norm_self(
            x + self.dropout(self.self_attention(placed, placed, x, allowed))
        )
        return out

    def read(self, x: Tensor, position: Tensor, memory: Tensor) -> Tensor:
        """Attention to the memory, and feed-forward; arguments and result as of `forward`."""
        x = self.norm_attention(x + self.dropout(self.attention(x + position, memory, memory)))
        out: Tensor = self.norm_feedforward(x + self.dropout(self.feedforward(x)))
        return out


def finger_mask(queries: int) -> Tensor:
    """Which hand queries see each other: the wrist itself, each finger itself, the shape itself.

    Args:
        queries: 17 (16 joints in MANO's order, then the shape), or 1 (the shape).

    Returns:
        (queries, queries) bool, True where attention is allowed.
    """
    groups = torch.tensor([0, *(1 + joint // 3 for joint in range(15)), 6])[-queries:]
    return groups.unsqueeze(0) == groups.unsqueeze(1)


class HandDecoder(nn.Module):
    """Learnt queries, one a MANO joint and one for the shape, read the hand tokens."""

    allowed: Tensor
    start: Tensor | None

    def __init__(self, size: LayerSize, depth: int, queries: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, size.dim))
        self.layers = nn.ModuleList(DecoderLayer(size) for _ in range(depth))
        self.norm = size.norm()
        self.register_buffer("allowed", finger_mask(queries), persistent=False)
        self.register_buffer("start", None, persistent=False)

    def forward(self, memory: Tensor) -> list[Tensor]:
        """The normalised output (B, Q, D) of every layer.

        Args:
            memory: (B, N, D) hand tokens of the encoder; those of the object's points are left
                out.
        """
        position = self.queries.expand(memory.shape[0], -1, -1)
        start = self.conferred(len(position)) if self.start is None else self.start
        first, *others = self.layers
        assert isinstance(first, DecoderLayer)
        x = first.read(start.expand_as(position), position, memory)
        outputs = [self.norm(x)]
        for layer in others:
            x = layer(x, position, memory, self.allowed)
            outputs.append(self.norm(x))
        return outputs

    def conferred(self, batch: int = 1) -> Tensor:
        """(B, Q, D) after the first attention among the queries, which depends on no input."""
        first = self.layers[0]
        assert isinstance(first, DecoderLayer)
        position = self.queries.expand(batch, -1, -1)
        return first.confer(torch.zeros_like(position), position, self.allowed)

    @torch.no_grad()
    def settle(self) -> None:
        """Keep `conferred` as a constant; the weights must not change any more."""
        self.start = self.conferred()
