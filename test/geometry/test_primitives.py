"""Primitives: closed, facing outwards, of the volume they should have."""

import numpy as np
import pytest

from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.geometry.mesh import face_normals
from hoisdf_ros.geometry.primitives import box, sphere, tapered_cylinder

CONE_VOLUME = np.pi * 0.3 / 3 * (0.04**2 + 0.04 * 0.06 + 0.06**2)


@pytest.mark.parametrize(
    ("mesh", "volume", "size"),
    [
        (box((0.1, 0.2, 0.05)), 0.001, (0.1, 0.2, 0.05)),
        (sphere(0.05, rounds=4), 4 / 3 * np.pi * 0.05**3, (0.1, 0.1, 0.1)),
        (tapered_cylinder(0.04, 0.06, 0.3), CONE_VOLUME, (0.3, 0.12, 0.12)),
    ],
)
def test_closed_and_of_known_volume(
    mesh: Mesh, volume: float, size: tuple[float, float, float]
) -> None:
    edges = np.concatenate([mesh.faces[:, [k, (k + 1) % 3]] for k in range(3)])
    there = {(int(a), int(b)) for a, b in edges}
    assert len(there) == len(edges)
    assert there == {(b, a) for a, b in there}  # every edge has its opposite: closed, consistent
    first = mesh.vertices[mesh.faces[:, 0]]
    enclosed = np.einsum("fi,fi->", face_normals(mesh.vertices, mesh.faces), first) / 6
    assert enclosed == pytest.approx(volume, rel=0.01)
    assert np.allclose(mesh.size, size)
