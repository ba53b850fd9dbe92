"""Names of the published checkpoints, quarantined: ours follow the paper.

`published_name` says where the published file keeps one of our parameters. The file stores the
query, key and value projections of an attention as one matrix, of which ours are the thirds.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

_UNUSED = re.compile(
    r"(mano_head\.)?mano_layer\.|.*coord_change_mat$"  # constants of the hand model
    r"|norm1\.|linear_objvote\.|linear_objcls\."  # stored, take part in nothing
    r"|.*num_batches_tracked$"
)

_RESIDUAL = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2", "6": "conv3", "7": "bn3"}
_DECODER = {"skips": "conv{}d", "ups": "deconv{}", "joins": "conv{}"}
_SIDES = {"hand": "hand", "object": "obj"}
_PLAIN = {
    "decoder.heatmap": "decoder_net.resnet_decoder.convOut_hm",
    "decoder.hand_mask": "decoder_net.resnet_decoder.convOut_hand_seg",
    "decoder.object_mask": "decoder_net.resnet_decoder.convOut_obj_seg",
    "backbone.stem.0": "backbone_net.resnet.conv1",
    "backbone.stem.1": "backbone_net.resnet.bn1",
    "field_input": "linear_sdfin",
    "token_input": "linear_transformerin",
    "hand_density.beta": "hand_sigmoid_beta",
    "object_density.beta": "obj_sigmoid_beta",
    "hand_decoder.queries": "mano_query_embed.weight",
    "hand_head.pose": "linear_pose",
    "hand_head.shape": "linear_shape",
    "joint_head.offset": "linear_handvote",
    "joint_head.visibility": "linear_handcls",
    "object_head.rotation": "linear_obj_rot",
    "object_head.translation": "linear_obj_rel_trans",
}
_LAYER = {
    "encoder": {"attention": "self_attn", "norm_attention": "norm1", "norm_feedforward": "norm2"},
    "decoder": {
        "self_attention": "self_attn",
        "attention": "multihead_attn",
        "norm_self": "norm1",
        "norm_attention": "norm2",
        "norm_feedforward": "norm3",
    },
}
_LINEARS = {"feedforward.widen": "linear1", "feedforward.narrow": "linear2"}
_WEIGHT_NORM = {
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}
_THIRDS = ("query", "key", "value")


class PublishedEntry(NamedTuple):
    """Where a published file keeps a parameter.

    Attributes:
        name: Without the ``module.`` in front.
        third: Which third of its rows, or None for all.
    """

    name: str
    third: int | None = None

    def stored_shape(self, shape: torch.Size) -> tuple[int, ...]:
        """Shape of the whole stored entry, given the shape of our parameter."""
        return tuple(shape) if self.third is None else (3 * shape[0], *shape[1:])

    def read(self, entries: Mapping[str, Tensor]) -> Tensor:
        """The parameter's value out of the published ``entries``."""
        value = entries[self.name]
        return value if self.third is None else value.tensor_split(3)[self.third]


def is_unused(name: str) -> bool:
    """Whether a published entry belongs to nothing in the network."""
    return _UNUSED.match(name) is not None


def published_entry(name: str) -> PublishedEntry:
    """Where a published file keeps our parameter ``name``.

    Raises:
        KeyError: No rule knows the name; a bug here, not in the file.
    """
    for rule in _RULES:
        entry = rule(name)
        if entry is not None:
            return entry
    raise KeyError(name)


def _residual_block(name: str) -> PublishedEntry | None:
    pattern = r"backbone\.stages\.(\d)\.(\d+)\.(residual|shortcut)\.(\d)\.(\w+)"
    match = re.fullmatch(pattern, name)
    if match is None:
        return None
    stage, block, branch, index, entry = match.groups()
    part = _RESIDUAL[index] if branch == "residual" else f"downsample.{index}"
    return PublishedEntry(f"backbone_net.resnet.layer{int(stage) + 1}.{block}.{part}.{entry}")


def _decoder_level(name: str) -> PublishedEntry | None:
    match = re.fullmatch(r"decoder\.(skips|ups|joins)\.(\d)\.(.*)", name)
    if match is None:
        return None
    block = _DECODER[match[1]].format(4 - int(match[2]))  # published: counted from stride 32 up
    return PublishedEntry(f"decoder_net.resnet_decoder.{block}.{match[3]}")


def _field(name: str) -> PublishedEntry | None:
    match = re.fullmatch(r"(hand|object)_field\.(?:layers\.(\d)|output)\.(.*)", name)
    if match is None:
        return None
    side, layer, entry = match.groups(default="4")
    return PublishedEntry(
        f"{_SIDES[side]}_sdf_decoder.linh{layer}.{_WEIGHT_NORM.get(entry, entry)}"
    )


def _attention_layer(name: str) -> PublishedEntry | None:
    match = re.fullmatch(r"(hand|object)_(encoder|decoder)\.layers\.(\d)\.(.*)\.(\w+)", name)
    if match is None:
        return None
    side, stack, layer, part, entry = match.groups()
    prefix = f"{_SIDES[side]}_transformer.{stack}.layers.{layer}"
    block, _, projection = part.partition(".")
    if projection in _THIRDS:
        third = _THIRDS.index(projection)
        return PublishedEntry(f"{prefix}.{_LAYER[stack][block]}.in_proj_{entry}", third)
    if projection == "output":
        return PublishedEntry(f"{prefix}.{_LAYER[stack][block]}.out_proj.{entry}")
    return PublishedEntry(f"{prefix}.{(_LAYER[stack] | _LINEARS)[part]}.{entry}")


def _stack_norm(name: str) -> PublishedEntry | None:
    match = re.fullmatch(r"(hand|object)_(encoder|decoder)\.norm\.(\w+)", name)
    if match is None:
        return None
    norm = "inter_norm" if match[2] == "encoder" else "norm"
    return PublishedEntry(f"{_SIDES[match[1]]}_transformer.{match[2]}.{norm}.{match[3]}")


def _plain(name: str) -> PublishedEntry | None:
    for renamed, published in _PLAIN.items():
        if name == renamed or name.startswith(f"{renamed}."):
            return PublishedEntry(published + name.removeprefix(renamed))
    return None


def _mobile_backbone(name: str) -> PublishedEntry | None:
    """Never published, so that it goes by its own names."""
    return PublishedEntry(name) if name.startswith(("backbone.stem.", "backbone.blocks.")) else None


_RULES: tuple[Callable[[str], PublishedEntry | None], ...] = (
    _residual_block,
    _decoder_level,
    _field,
    _attention_layer,
    _stack_norm,
    _plain,
    _mobile_backbone,
)
