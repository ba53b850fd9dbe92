"""What messages say of an object's mesh."""

from pathlib import Path

import numpy as np
import pytest

from hoisdf_ros.datatypes import Mesh
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS
from hoisdf_ros.ros import outputs
from hoisdf_ros.ros.outputs import mesh_resource, model_of

MUSTARD = PACKAGED_OBJECTS / "006_mustard_bottle" / "textured.obj"


def installed(share: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "get_package_share_directory", lambda _: str(share))


def test_an_installed_object_is_named_by_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "objects").mkdir()
    installed(tmp_path, monkeypatch)
    expected = "package://hoisdf_ros/objects/006_mustard_bottle/textured.obj"
    assert mesh_resource(MUSTARD) == expected


def test_without_an_installation_it_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    assert mesh_resource(MUSTARD) == MUSTARD.as_uri()


def test_the_user_s_own_object_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "objects").mkdir()
    installed(tmp_path, monkeypatch)
    assert mesh_resource(tmp_path / "my cup.obj") == f"file://{tmp_path}/my%20cup.obj"


def test_a_mesh_without_a_file_has_no_url_but_a_middle() -> None:
    vertices = np.array([[0.0, 0.0, 0.0], [0.2, 0.0, 0.0], [0.0, 0.4, -0.6]])
    model = model_of(Mesh(vertices, np.array([[0, 1, 2]], dtype=np.int32)))
    assert model.resource == ""
    assert np.allclose(model.center, [0.1, 0.2, -0.3])
