"""The attention stacks against torch's own post-norm layers."""

import torch
from torch import nn

from hoisdf_ros.network.layers import Attention
from hoisdf_ros.network.transformer import (
    DecoderLayer,
    Encoder,
    EncoderLayer,
    HandDecoder,
    LayerSize,
    finger_mask,
)

DIM, HEADS, HIDDEN = 16, 4, 24
SIZE = LayerSize(DIM, HEADS, HIDDEN)


def _copy_attention(ours: Attention, theirs: nn.MultiheadAttention) -> None:
    parts = (ours.query, ours.key, ours.value)
    weights, biases = theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)
    for layer, weight, bias in zip(parts, weights, biases, strict=True):
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    ours.output.load_state_dict(theirs.out_proj.state_dict())


@torch.no_grad()
def test_encoder_layer_equals_torchs() -> None:
    torch.manual_seed(1)
    theirs = nn.TransformerEncoderLayer(DIM, HEADS, HIDDEN, batch_first=True).eval()
    ours = EncoderLayer(SIZE).eval()
    _copy_attention(ours.attention, theirs.self_attn)
    ours.feedforward.widen.load_state_dict(theirs.linear1.state_dict())
    ours.feedforward.narrow.load_state_dict(theirs.linear2.state_dict())
    ours.norm_attention.load_state_dict(theirs.norm1.state_dict())
    ours.norm_feedforward.load_state_dict(theirs.norm2.state_dict())
    x = torch.randn(2, 9, DIM)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_decoder_layer_equals_torchs_where_queries_have_no_position() -> None:
    torch.manual_seed(2)
    theirs = nn.TransformerDecoderLayer(DIM, HEADS, HIDDEN, batch_first=True).eval()
    ours = DecoderLayer(SIZE).eval()
    _copy_attention(ours.self_attention, theirs.self_attn)
    _copy_attention(ours.attention, theirs.multihead_attn)
    ours.feedforward.widen.load_state_dict(theirs.linear1.state_dict())
    ours.feedforward.narrow.load_state_dict(theirs.linear2.state_dict())
    for name, norm in (("norm_self", "norm1"), ("norm_attention", "norm2")):
        getattr(ours, name).load_state_dict(getattr(theirs, norm).state_dict())
    ours.norm_feedforward.load_state_dict(theirs.norm3.state_dict())
    x, memory = torch.randn(2, 17, DIM), torch.randn(2, 9, DIM)
    allowed = finger_mask(17)
    expected = theirs(x, memory, tgt_mask=~allowed)
    torch.testing.assert_close(
        ours(x, torch.zeros_like(x), memory, allowed), expected, rtol=1e-4, atol=1e-5
    )


def test_finger_mask_lets_each_finger_see_itself_only() -> None:
    mask = finger_mask(17)
    groups = [[0], *[[1 + 3 * f, 2 + 3 * f, 3 + 3 * f] for f in range(5)], [16]]
    expected = torch.zeros(17, 17, dtype=torch.bool)
    for group in groups:
        for query in group:
            expected[query, group] = True
    assert torch.equal(mask, expected)
    assert torch.equal(finger_mask(1), torch.ones(1, 1, dtype=torch.bool))


def test_encoder_norms_every_layer_but_keeps_the_memory_raw() -> None:
    torch.manual_seed(3)
    encoder = Encoder(SIZE, depth=3).eval()
    with torch.no_grad():
        encoder.norm.weight.fill_(2.0)
        encoded = encoder(torch.randn(1, 6, DIM))
    assert len(encoded.layers) == 3
    torch.testing.assert_close(encoded.layers[-1], encoder.norm(encoded.memory))
    assert not torch.allclose(encoded.layers[-1], encoded.memory)


@torch.no_grad()
def test_queries_of_one_finger_do_not_feel_another_fingers_query() -> None:
    torch.manual_seed(4)
    decoder = HandDecoder(SIZE, depth=2, queries=17).eval()
    memory = torch.randn(1, 5, DIM)
    before = decoder(memory)[-1]
    decoder.queries[1] += 1.0  # the index finger's first joint
    changed = (decoder(memory)[-1] - before).abs().amax(dim=-1).squeeze(0) > 1e-6
    assert changed.nonzero().flatten().tolist() == [1, 2, 3]


@torch.no_grad()
def test_the_last_layer_alone_gives_the_first_tokens_as_all_do() -> None:
    torch.manual_seed(5)
    encoder = Encoder(SIZE, depth=2).eval()
    x = torch.randn(2, 9, DIM)
    every = encoder(x)
    memory, normed = encoder.last(x, 4)
    torch.testing.assert_close(memory, every.memory[:, :4], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(normed, every.layers[-1][:, :4], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_settled_decoder_answers_as_before() -> None:
    torch.manual_seed(6)
    decoder = HandDecoder(SIZE, depth=2, queries=17).eval()
    memory = torch.randn(3, 5, DIM)
    before = decoder(memory)
    decoder.settle()
    torch.testing.assert_close(decoder(memory), before)
    decoder.get_parameter("layers.0.self_attention.value.bias").add_(torch.randn(DIM))
    assert decoder.start is not None
    assert not torch.allclose(decoder.start, decoder.conferred())
