"""A network that is compiled in seconds."""

from dataclasses import replace

import torch

from hoisdf_ros.config import PRESETS, BackboneConfig, DecoderConfig
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.serving import serving_copy
from hoisdf_ros.search_budget import SearchBudget

CONFIG = replace(
    PRESETS["demo"],
    hand_head="mano",
    backbone=BackboneConfig(blocks=(1, 1, 1, 1), bottleneck=False, width=8),
    decoder=DecoderConfig((8, 8, 8, 8, 8), (8, 8, 8, 8), True, (8,)),
    image_size=64,
    lattice_size=8,
    sampler="coarse_to_fine",
    hand_points=16,
    object_points=16,
    hand_search=SearchBudget(32, (8,)),
    object_search=SearchBudget(32, (8,)),
    dim=64,
    heads=2,
    feedforward=32,
    hand_encoder_layers=1,
    object_encoder_layers=1,
    hand_decoder_layers=1,
    field_input_widths=(16, 16),
    field_width=64,
    token_widths=(16, 16),
)


def small_network() -> Hoisdf:
    """Random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Hoisdf(CONFIG).eval()


def small_serving() -> Hoisdf:
    """The same network as it serves."""
    return serving_copy(small_network())
