"""Our attention and MLP against torch's own modules."""

import torch
from torch import nn

from hoisdf_ros.network.layers import MLP, Attention


def test_attention_equals_torchs_multihead_attention() -> None:
    torch.manual_seed(0)
    ours = Attention(32, 4).eval()
    theirs = nn.MultiheadAttention(32, 4, batch_first=True).eval()
    with torch.no_grad():
        parts = (ours.query, ours.key, ours.value)
        for layer, weight, bias in zip(
            parts, theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3), strict=True
        ):
            layer.weight.copy_(weight)
            layer.bias.copy_(torch.randn_like(bias))
            bias.copy_(layer.bias)
        ours.output.load_state_dict(theirs.out_proj.state_dict())
        query, memory = torch.randn(2, 5, 32), torch.randn(2, 7, 32)
        allowed = torch.rand(5, 7) > 0.3
        allowed[:, 0] = True
        expected, _ = theirs(query, memory, memory, attn_mask=~allowed)
        torch.testing.assert_close(ours(query, memory, memory, allowed), expected)


def test_mlp_applies_relu_between_layers_and_at_the_end_only_when_told() -> None:
    mlp = MLP(2, 3, 1)
    with torch.no_grad():
        for name, value in mlp.named_parameters():
            value.fill_({"layers.0.bias": -10.0, "layers.1.bias": -2.0}.get(name, 1.0))
    x = torch.ones(4, 2)  # the first layer gives -8, cut to 0
    assert torch.equal(mlp(x), torch.full((4, 1), -2.0))
    mlp.final_relu = True
    assert torch.equal(mlp(x), torch.zeros(4, 1))


def test_signals_keep_their_size_on_the_way_to_the_tokens() -> None:
    torch.manual_seed(0)
    x = torch.randn(512, 256).relu()
    y = MLP(256, 192, 128, 96, final_relu=True)(x)
    assert 0.5 < y.square().mean() / x.square().mean() < 2
