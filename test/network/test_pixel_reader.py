"""Reading through MLPs whose first layer has moved into the maps, against sampling first."""

import pytest
import torch

from hoisdf_ros.network.layers import MLP
from hoisdf_ros.network.pixel_reader import GRID, ROWS, Lookup, PixelReader
from hoisdf_ros.network.point_features import pixel_grid, sample_pyramid

WIDTHS, SIZE = (3, 5, 8, 16), 64


@pytest.mark.parametrize("lookup", [GRID, ROWS], ids=["grid", "rows"])
@pytest.mark.parametrize("points", [1, 300, 100_000])  # moved: no level, some, all
@pytest.mark.parametrize("batch", [1, 3])
@torch.no_grad()
def test_equals_sampling_before_the_whole_mlp(lookup: Lookup, points: int, batch: int) -> None:
    torch.manual_seed(0)
    maps = [torch.randn(batch, c, SIZE >> k + 1, SIZE >> k + 1) for k, c in enumerate(WIDTHS)]
    mlps = MLP(sum(WIDTHS), 12, 7, final_relu=True), MLP(sum(WIDTHS), 9)
    pixels = torch.rand(batch, 50, 2) * 1.4 * SIZE - 0.2 * SIZE  # some outside
    pixels[:, :2] = torch.tensor([[0.0, SIZE - 1.0], [SIZE - 1.0, 0.0]])  # on the border
    plain = sample_pyramid(tuple(maps), pixels, SIZE)
    read = PixelReader(mlps, maps, points, lookup)
    for mlp, output in zip(mlps, read(pixel_grid(pixels, SIZE)), strict=True):
        torch.testing.assert_close(output, mlp(plain), rtol=1e-4, atol=1e-5)
