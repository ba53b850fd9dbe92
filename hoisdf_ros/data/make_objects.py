r"""Makes the packaged objects from the YCB meshes inside the wheel of MyoSuite 2.8.4.

Run once by whoever changes the assets; nobody needs it to use them::

    pip download --no-deps MyoSuite==2.8.4
    pip install fast-simplification==0.2.0 xatlas==0.0.11
    python -m hoisdf_ros.data.make_objects --wheel MyoSuite-2.8.4-py3-none-any.whl \
        --out hoisdf_ros/assets/objects

Each mesh is thinned out, laid out flat anew and given a small texture, whose colours are those
of the nearest points of the original. Its frame is shifted to the middle of its box: the originals'
lies beside the object, so that where it is could only be told by how the object is turned.
"""

import argparse
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from hoisdf_ros.data.atomic import write_picture
from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.errors import MeshError
from hoisdf_ros.geometry.mesh import IntArray
from hoisdf_ros.geometry.signed_distance import Surface

OBJECT_IDS = (
    "002_master_chef_can",
    "003_cracker_box",
    "004_sugar_box",
    "005_tomato_soup_can",
    "006_mustard_bottle",
    "007_tuna_fish_can",
    "008_pudding_box",
    "009_gelatin_box",
    "010_potted_meat_can",
    "035_power_drill",
)
_FOLDER = "myosuite/simhive/YCB_sim"
_SOURCE_TEXTURE = 2048  # pixels; the 4096 of the wheel are blurred anyway
_JPEG_QUALITY = 80


@dataclass(frozen=True)
class Options:
    """How small the packaged objects become.

    Args:
        faces: Triangles of a mesh, about.
        texture: Side of the square texture, pixels.
        oversample: Texels are the mean of so many by so many.
    """

    faces: int = 2500
    texture: int = 512
    oversample: int = 2


def read_msh(content: bytes) -> tuple[Array, Array, IntArray]:
    """Read MuJoCo's legacy binary mesh: four counts, then vertices, normals, uv, faces.

    Args:
        content: The file.

    Returns:
        vertices (V, 3) metres, uv (V, 2) with v = 0 at the texture's first row, faces (F, 3).

    Raises:
        MeshError: The length is not what the counts say.
    """
    counts = np.frombuffer(content[:16], dtype="<i4")
    widths = np.array([12, 12, 8, 12])
    if len(counts) != 4 or len(content) != 16 + int(counts @ widths):
        raise MeshError(
            f"a .msh file of {len(content)} bytes that announces {counts.tolist()} vertices, "
            "normals, texture coordinates and faces; expected MuJoCo's legacy format"
        )
    ends = 16 + np.cumsum(counts * widths)
    vertices = np.frombuffer(content[16 : ends[0]], dtype="<f4").reshape(-1, 3)
    uv = np.frombuffer(content[ends[1] : ends[2]], dtype="<f4").reshape(-1, 2)
    faces = np.frombuffer(content[ends[2] : ends[3]], dtype="<i4").reshape(-1, 3)
    return vertices.astype(float), uv.astype(float), faces.astype(np.int32)


def read_object(wheel: Path, object_id: str) -> Mesh:
    """One mesh of the wheel at full size.

    Raises:
        MeshError: The wheel does not hold it.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            shape = archive.read(f"{_FOLDER}/meshes/{object_id}.msh")
            picture = archive.read(f"{_FOLDER}/textures/{object_id}.png")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise MeshError(
            f"{wheel}: cannot read {object_id} ({error}); expected the wheel of MyoSuite 2.8.4, "
            "get it with 'pip download --no-deps MyoSuite==2.8.4'"
        ) from error
    vertices, uv, faces = read_msh(shape)
    decoded = cv2.imdecode(np.frombuffer(picture, dtype=np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise MeshError(f"{wheel}: the texture of {object_id} is not a readable picture")
    small = cv2.resize(decoded, (_SOURCE_TEXTURE, _SOURCE_TEXTURE), interpolation=cv2.INTER_AREA)
    texture = np.ascontiguousarray(small[..., ::-1], dtype=np.uint8)
    return Mesh(vertices, faces, np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1), texture)


def simplify(mesh: Mesh, faces: int) -> Mesh:
    """The shape alone with about so many faces; closed when the original is."""
    import fast_simplification

    places, index = np.unique(mesh.vertices, axis=0, return_inverse=True)
    corners = index.reshape(-1)[mesh.faces]
    points, triangles = fast_simplification.simplify(
        places, corners.astype(np.int32), target_count=faces, agg=3.0
    )
    return Mesh(np.asarray(points, dtype=float), np.asarray(triangles, dtype=np.int32))


def lay_out(mesh: Mesh, texture: int) -> Mesh:
    """The mesh with texture coordinates of its own; vertices on seams appear twice."""
    import xatlas

    atlas = xatlas.Atlas()
    atlas.add_mesh(mesh.vertices, mesh.faces)
    pack = xatlas.PackOptions()
    pack.resolution, pack.padding, pack.bilinear = texture, 2, True
    atlas.generate(pack_options=pack)
    origin, faces, uv = atlas[0]
    return Mesh(mesh.vertices[origin], faces.astype(np.int32), uv.astype(float))


def bake(mesh: Mesh, source: Mesh, size: int) -> NDArray[np.uint8]:
    """A texture for ``mesh`` with the colours of ``source``.

    Args:
        mesh: Shape with texture coordinates.
        source: The same shape with a texture.
        size: Side of the texture, pixels.

    Returns:
        (size, size, 3) uint8 RGB, first row at v = 1; texels off the charts repeat the nearest.
    """
    owner, points = _texel_points(mesh, size)
    inside = owner >= 0
    near = Surface(source).closest(points[inside])
    assert source.uv is not None
    assert source.texture is not None
    uv = np.einsum("nc,nci->ni", near.weights, source.uv[source.faces[near.faces]])
    height, width = source.texture.shape[:2]
    columns, rows = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    picture = np.zeros((size, size, 3), dtype=np.uint8)
    picture[inside] = _sample(source.texture, columns, rows)
    nearest = distance_transform_edt(~inside, return_distances=False, return_indices=True)
    filled: NDArray[np.uint8] = picture[tuple(nearest)]
    return filled


def _sample(texture: NDArray[np.uint8], columns: Array, rows: Array) -> NDArray[np.uint8]:
    """(N, 3) colours at fractional pixels; in strips, because OpenCV limits a map's height."""
    strips = np.array_split(np.stack([columns, rows]).astype(np.float32), 64, axis=1)
    picked = [
        cv2.remap(texture, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        for x, y in strips
    ]
    return np.concatenate(picked).reshape(-1, 3).astype(np.uint8)


def _texel_points(mesh: Mesh, size: int) -> tuple[IntArray, Array]:
    """The face (size, size) under each texel, -1 for none, and its place (size, size, 3)."""
    owner = np.full((size, size), -1, dtype=np.int32)
    points = np.zeros((size, size, 3))
    assert mesh.uv is not None
    places = np.stack([mesh.uv[:, 0] * size, (1 - mesh.uv[:, 1]) * size], axis=1) - 0.5
    for face, corners in enumerate(mesh.faces):
        a, b, c = places[corners]
        low = np.maximum(np.floor(np.minimum(np.minimum(a, b), c)).astype(int), 0)
        high = np.minimum(np.ceil(np.maximum(np.maximum(a, b), c)).astype(int), size - 1)
        x, y = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0 or not x.size:
            continue
        u = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        v = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        weights = np.stack([1 - u - v, u, v], axis=-1)
        hit = (weights >= -1e-9).all(axis=-1)
        owner[y[hit], x[hit]] = face
        points[y[hit], x[hit]] = weights[hit] @ mesh.vertices[corners]
    return owner, points


def write_object(mesh: Mesh, folder: Path) -> None:
    """Write ``textured.obj``, ``textured.mtl`` and ``texture.jpg``; positions to 0.01 mm."""
    assert mesh.uv is not None
    assert mesh.texture is not None
    folder.mkdir(parents=True, exist_ok=True)
    places, place = np.unique(mesh.vertices.round(5), axis=0, return_inverse=True)
    place = place.reshape(-1)
    lines = ["mtllib textured.mtl", "usemtl skin"]
    lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in places]
    lines += [f"vt {u:.4f} {v:.4f}" for u, v in mesh.uv]
    lines += ["f " + " ".join(f"{place[k] + 1}/{k + 1}" for k in face) for face in mesh.faces]
    (folder / "textured.obj").write_text("\n".join(lines) + "\n")
    (folder / "textured.mtl").write_text("newmtl skin\nKd 1 1 1\nmap_Kd texture.jpg\n")
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    write_picture(folder / "texture.jpg", mesh.texture, quality)


def make_object(source: Mesh, options: Options) -> Mesh:
    """The packaged form of a full-size mesh."""
    mesh = lay_out(simplify(source, options.faces), options.texture)
    texture = bake(mesh, source, options.texture * options.oversample)
    size = (options.texture, options.texture)
    small = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
    return Mesh(mesh.vertices, mesh.faces, mesh.uv, np.asarray(small, dtype=np.uint8))


def centred(mesh: Mesh) -> Mesh:
    """The mesh around the middle of its box along its axes."""
    middle = (mesh.vertices.max(axis=0) + mesh.vertices.min(axis=0)) / 2
    return replace(mesh, vertices=mesh.vertices - middle)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make all objects and say how large each became and how far its surface moved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, required=True, help="MyoSuite-2.8.4-*.whl")
    parser.add_argument("--out", type=Path, required=True, help="folder for the objects")
    options = parser.parse_args(arguments)
    for object_id in OBJECT_IDS:
        source = read_object(options.wheel, object_id)
        mesh = make_object(source, Options())
        write_object(centred(mesh), options.out / object_id)
        moved = np.abs(Surface(mesh).signed_distance(source.vertices)) * 1000
        size = sum(file.stat().st_size for file in (options.out / object_id).iterdir())
        print(
            f"{object_id}: {len(mesh.faces)} faces, {size / 1024:.0f} KiB, surface moved by "
            f"{moved.mean():.2f} mm on average, {moved.max():.2f} mm at most"
        )


if __name__ == "__main__":
    main()
