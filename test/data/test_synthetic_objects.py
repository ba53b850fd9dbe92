"""The simple shapes are closed, outside out, of the size they are meant to be."""

import numpy as np
import pytest

from hoisdf_ros.data.synthetic_objects import synthetic_meshes
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects

MESHES = synthetic_meshes()
SIMPLE = [name for name in MESHES if name.startswith("shape_")]


def volume(name: str) -> float:
    a, b, c = (MESHES[name].vertices[MESHES[name].faces[:, k]] for k in range(3))
    return float(np.einsum("ni,ni->n", a, np.cross(b, c)).sum() / 6)


def test_all_packaged_objects_are_there() -> None:
    assert set(find_objects(PACKAGED_OBJECTS)) == set(MESHES) - set(SIMPLE)
    assert len(SIMPLE) >= 4


@pytest.mark.parametrize("name", ["shape_block", "shape_card"])
def test_a_finely_split_box_is_still_a_box(name: str) -> None:
    mesh = MESHES[name]
    assert volume(name) == pytest.approx(mesh.size.prod())
    assert len(mesh.vertices) > 500
    on_a_side = np.isclose(np.abs(mesh.vertices), mesh.size / 2).any(axis=1)
    assert on_a_side.all()


@pytest.mark.parametrize("name", SIMPLE)
def test_shapes_are_centred_and_outside_out(name: str) -> None:
    vertices = MESHES[name].vertices
    np.testing.assert_allclose(vertices.max(axis=0), -vertices.min(axis=0), atol=1e-9)
    assert 0.2 * MESHES[name].size.prod() < volume(name) <= 1.001 * MESHES[name].size.prod()
