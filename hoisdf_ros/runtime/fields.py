"""What a trained network's two fields say around a hand and an object."""

from typing import Literal

import numpy as np
import torch

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.mesh import mirrored
from hoisdf_ros.network.io import ImageFeatures, NetworkInput
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.network.point_features import project
from hoisdf_ros.network.point_sampler import CHUNK
from hoisdf_ros.postprocessing.field_surface import Field, Grid, surface_of

Which = Literal["hand", "object"]


def predicted_field(
    network: Hoisdf, features: ImageFeatures, inputs: NetworkInput, which: Which
) -> Field:
    """The field of one crop.

    Args:
        network: In evaluation mode.
        features: Stage one's answer for the crop.
        inputs: One crop, on the network's device.
        which: Whose field.

    Returns:
        Signed distance in metres at points relative to the hand root or the object centre, in
        metres along the axes of the crop's camera; mirrored where the crop is. NaN for points
        that are not in front of the camera, which no image can say anything about.
    """
    scale, device = network.config.sdf_scale, inputs.image.device
    distance = network.hand_distance if which == "hand" else network.object_distance
    center = inputs.hand_root if which == "hand" else inputs.object_center

    @torch.no_grad()
    def field(points: Array) -> Array:
        parts = [np.zeros(0)]
        for start in range(0, len(points), CHUNK):
            part = torch.from_numpy(points[start : start + CHUNK]).float().to(device)[None]
            _, visible = project(part + center.unsqueeze(1), inputs.intrinsics)
            found = distance(part * scale, features, inputs)[..., 0] / scale
            found = torch.where(visible, found, torch.nan)
            parts.append(found[0].double().cpu().numpy())
        return np.concatenate(parts)

    return field


def predicted_surface(
    network: Hoisdf,
    features: ImageFeatures,
    inputs: NetworkInput,
    which: Which,
    *,
    mirror: bool,
    cells: int = 128,
) -> Mesh | None:
    """The surface that a field predicts, over the cube in which it is trained.

    Args:
        network, features, inputs, which: See `predicted_field`.
        mirror: The crop is mirrored (a left hand); the mesh is mirrored back.
        cells: Along the cube's edge; 128 makes 5 mm.

    Returns:
        Metres from the hand root or the object centre along the axes of the image's camera; None
        when the field has no surface.
    """
    grid = Grid(1 / network.config.sdf_scale, cells)
    mesh = surface_of(predicted_field(network, features, inputs, which), grid)
    return mirrored(mesh) if mesh is not None and mirror else mesh
