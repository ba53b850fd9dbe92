"""The YCB objects of DexYCB and HO-3D: names, symmetries, sizes."""

from pathlib import Path

import numpy as np

from hoisdf_ros.data.folder import Folder
from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.mesh import box_corners

YCB_OBJECTS: tuple[str, ...] = (
    "002_master_chef_can",
    "003_cracker_box",
    "004_sugar_box",
    "005_tomato_soup_can",
    "006_mustard_bottle",
    "007_tuna_fish_can",
    "008_pudding_box",
    "009_gelatin_box",
    "010_potted_meat_can",
    "011_banana",
    "019_pitcher_base",
    "021_bleach_cleanser",
    "024_bowl",
    "025_mug",
    "035_power_drill",
    "036_wood_block",
    "037_scissors",
    "040_large_marker",
    "051_large_clamp",
    "052_extra_large_clamp",
    "061_foam_brick",
)
"""In the order of DexYCB's class ids, which count from 1."""

SYMMETRIC_OBJECTS = frozenset(
    {"024_bowl", "036_wood_block", "052_extra_large_clamp", "061_foam_brick"}
)
"""DexYCB's ids 13, 16, 20 and 21, of which HFL-Net (CVPR 2023) measures ADD-S instead of ADD;
PoseCNN's list for YCB-Video also has 051_large_clamp."""

UNSEEN_IN_HO3D_TRAINING = frozenset({"019_pitcher_base"})
"""In HO-3D's evaluation split only; left out of the published object metrics."""

_POINTS = "points.xyz"
_MESH = "textured_simple.obj"


def object_corners(folder: Folder, models: Path, object_id: str) -> Array:
    """Corners of the box around a mesh of the YCB-Video set, in the mesh's own frame.

    Args:
        folder: The data set, for messages.
        models: Folder that holds ``<object_id>/points.xyz`` or ``<object_id>/textured_simple.obj``.
        object_id: Such as ``006_mustard_bottle``.

    Returns:
        (8, 3) metres. The published boxes are those of ``points.xyz``, a subset of the vertices.

    Raises:
        DataError: Neither file is there, or it holds no points.
    """
    path = models / object_id / _POINTS
    if not path.is_file():
        path = folder.file(models / object_id / _MESH)
    vertices = "v " if path.name == _MESH else ""
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    rows = [line.removeprefix(vertices).split()[:3] for line in lines if line.startswith(vertices)]
    try:
        points = np.array(rows, dtype=float).reshape(-1, 3)
    except ValueError as error:
        raise folder.damaged(path, "it holds lines without x, y and z") from error
    if not len(points) or not np.isfinite(points).all():
        raise folder.damaged(path, f"it holds {len(points)} points, expected finite ones")
    return box_corners(points)
