"""Colour, depth and ids of posed meshes, drawn by OpenGL without a window or a GPU.

Depth is the camera's z in metres; integer pixel coordinates are pixel centres, so that a
point is drawn exactly where `geometry.camera.project` puts it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import moderngl
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array, Camera, Mesh
from hoisdf_ros.errors import HoisdfError, ImageError
from hoisdf_ros.geometry.mesh import IntArray, vertex_normals, weld

_NEAR_M, _FAR_M = 0.05, 20.0

_VERTEX_SHADER = """
#version 330
uniform mat4 projection;
uniform mat3 rotation;
uniform vec3 translation;
in vec3 position;
in vec3 normal;
in vec2 uv;
out vec3 point;
out vec3 facing;
out vec2 texel;
void main() {
    point = rotation * position + translation;
    facing = rotation * normal;
    texel = vec2(uv.x, 1.0 - uv.y);
    gl_Position = projection * vec4(point, 1.0);
}
"""

_FRAGMENT_SHADER = """
#version 330
uniform sampler2D picture;
uniform bool textured;
uniform vec3 colour;
uniform vec3 tint;
uniform vec3 to_light;
uniform vec3 light;
uniform float ambient;
uniform float shine;
uniform float id;
in vec3 point;
in vec3 facing;
in vec2 texel;
layout(location = 0) out vec4 colour_and_id;
layout(location = 1) out float depth;
void main() {
    vec3 n = normalize(facing);
    vec3 to_eye = -normalize(point);
    if (dot(n, to_eye) < 0.0) n = -n;
    vec3 base = textured ? texture(picture, texel).rgb * tint : colour;
    float diffuse = max(dot(n, to_light), 0.0);
    float gloss = shine * pow(max(dot(n, normalize(to_light + to_eye)), 0.0), 24.0);
    vec3 lit = base * (ambient + (1.0 - ambient) * diffuse * light) + gloss * light;
    colour_and_id = vec4(clamp(lit, 0.0, 1.0), id / 255.0);
    depth = point.z;
}
"""


@dataclass(frozen=True)
class Light:
    """A distant lamp and light from everywhere.

    Args:
        towards: (3,) direction to the lamp, camera frame; any length.
        colour: Brightness of the lamp in red, green and blue.
        ambient: Share of the light that comes from everywhere.
    """

    towards: tuple[float, float, float] = (-0.3, -0.6, -1.0)
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    ambient: float = 0.45


@dataclass(frozen=True, eq=False)
class Item:
    """One thing to draw.

    Args:
        mesh: Shape and texture; what belongs to it stays on the renderer's side, so pass the
            same mesh again rather than a copy.
        id: 1 to 255, written where it is seen.
        rotation: (3, 3) camera-from-mesh; times a factor it also scales the mesh.
        translation: (3,) origin of the mesh frame, metres, camera frame.
        vertices: (V, 3) metres that take the place of the mesh's own in this frame, for
            shapes that bend; or None.
        colour: Red, green, blue in [0, 1], where there is no texture.
        shine: Strength of the highlight.
        tint: Red, green, blue by which a texture is multiplied.
    """

    mesh: Mesh
    id: int
    rotation: Array
    translation: Array
    vertices: Array | None = None
    colour: tuple[float, float, float] = (0.7, 0.7, 0.7)
    shine: float = 0.1
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Background:
    """What is seen where no item is.

    Args:
        image: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 metres along z, NaN where there is none; or None for nowhere.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Rendered:
    """One drawn frame.

    Args:
        image: (H, W, 3) uint8 RGB.
        depth: (H, W) float32 metres along z, NaN where there is none.
        ids: (H, W) uint8 id of the item seen, 0 on the background.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    ids: NDArray[np.uint8]


def projection_matrix(camera: Camera) -> Array:
    """(4, 4) clip coordinates from the camera frame; the first row of memory is the top.

    OpenGL's window has pixel centres at half-integers, hence the 0.5.
    """
    matrix = np.zeros((4, 4))
    matrix[0, 0] = 2 * camera.fx / camera.width
    matrix[0, 2] = 2 * (camera.cx + 0.5) / camera.width - 1
    matrix[1, 1] = 2 * camera.fy / camera.height
    matrix[1, 2] = 2 * (camera.cy + 0.5) / camera.height - 1
    matrix[2, 2] = (_FAR_M + _NEAR_M) / (_FAR_M - _NEAR_M)
    matrix[2, 3] = -2 * _FAR_M * _NEAR_M / (_FAR_M - _NEAR_M)
    matrix[3, 2] = 1
    return matrix


_processes: set[int] = set()  # that have made a context, this one or those it was forked from


def _standalone_context() -> moderngl.Context:
    """An OpenGL 3.3 context that needs no display."""
    if _processes - {os.getpid()}:
        raise HoisdfError(
            "this process was forked from one that had drawn already, where OpenGL would hang: "
            "start workers afresh (multiprocessing_context='spawn' of a DataLoader)"
        )
    _processes.add(os.getpid())
    try:
        settings: dict[str, Any] = {"backend": "egl"}
        return moderngl.create_context(require=330, standalone=True, **settings)
    except Exception as error:  # moderngl and its loader raise bare Exceptions
        raise HoisdfError(
            f"no OpenGL without a display ({error}): expected EGL; install it with "
            "'apt-get install libegl1 libgl1-mesa-dri' and 'pip install moderngl'"
        ) from error


class _MeshOnGpu:
    """Buffers of one mesh; only a bending shape's vertices are sent again."""

    def __init__(self, context: moderngl.Context, program: moderngl.Program, mesh: Mesh) -> None:
        self.mesh = mesh
        self._welded: IntArray = weld(mesh.vertices)[mesh.faces]
        self._places = weld(mesh.vertices)
        count = len(mesh.vertices)
        self._shape = context.buffer(reserve=count * 24, dynamic=True)
        self._sent: Array | None = None
        uv = np.zeros((count, 2)) if mesh.uv is None else mesh.uv
        self._uv = context.buffer(uv.astype("f4").tobytes())
        self._indices = context.buffer(mesh.faces.astype("i4").tobytes())
        self.texture = _texture(context, mesh.texture) if mesh.texture is not None else None
        content = [(self._shape, "3f 3f", "position", "normal"), (self._uv, "2f", "uv")]
        self._array = context.vertex_array(program, content, self._indices)

    def draw(self, vertices: Array) -> None:
        """Draw with these (V, 3) vertices; they are sent when they are not the last ones."""
        if vertices is not self._sent:
            normals = vertex_normals(vertices, self._welded)[self._places]
            self._shape.write(np.hstack([vertices, normals]).astype("f4").tobytes())
            self._sent = vertices
        if self.texture is not None:
            self.texture.use(0)
        self._array.render()


def _texture(context: moderngl.Context, picture: NDArray[np.uint8]) -> moderngl.Texture:
    height, width = picture.shape[:2]
    texture = context.texture((width, height), 3, picture.tobytes(), alignment=1)
    # No anisotropy: Mesa's software filter can take seconds for one sliver seen edge-on.
    texture.build_mipmaps()
    return texture


class Renderer:
    """Draws items for one camera. Use it in the thread that made it, and close it in the end.

    Args:
        camera: Intrinsics and size of the pictures.

    Raises:
        HoisdfError: This machine has no OpenGL that works without a display.
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self._context = _standalone_context()
        context, size = self._context, (camera.width, camera.height)
        self._program = context.program(_VERTEX_SHADER, _FRAGMENT_SHADER)
        members = {name: self._program[name] for name in self._program}
        self._set = {k: v for k, v in members.items() if isinstance(v, moderngl.Uniform)}
        self._target = context.framebuffer(
            [context.texture(size, 4), context.texture(size, 1, dtype="f4")],
            context.depth_renderbuffer(size),
        )
        context.enable(moderngl.DEPTH_TEST)
        self._nothing = np.full((camera.height, camera.width), np.nan, dtype=np.float32)
        self._meshes: dict[int, _MeshOnGpu] = {}
        self.use(camera)

    def close(self) -> None:
        """Give everything on the GPU back; the renderer cannot be used afterwards."""
        self._meshes.clear()
        self._context.gc_mode = "context_gc"
        self._context.release()

    def use(self, camera: Camera) -> None:
        """Draw for another camera from now on.

        Raises:
            ImageError: Its pictures are of another size.
        """
        size, now = (camera.width, camera.height), (self.camera.width, self.camera.height)
        if size != now:
            raise ImageError(f"camera of size {size}, expected {now}: make another renderer")
        self.camera = camera
        with self._context:  # there may be another renderer
            self._set["projection"].write(projection_matrix(camera).T.astype("f4").tobytes())

    def render(
        self, items: Sequence[Item], background: Background, light: Light | None = None
    ) -> Rendered:
        """Draw one frame.

        Args:
            items: What to draw, in any order.
            background: What is seen beside them; it hides nothing.
            light: Where the light comes from.

        Raises:
            ImageError: The background is not of the camera's size.
        """
        self._check(background)
        with self._context:  # there may be another renderer
            self._target.use()
            self._target.clear()
            self._set_light(light or Light())
            for item in items:
                self._draw(item)
            colour, depth = self._read()
        image, ids = cv2.cvtColor(colour, cv2.COLOR_RGBA2RGB), colour[..., 3].copy()
        beside = (ids == 0).astype(np.uint8)
        cv2.copyTo(background.image, beside, image)
        behind = self._nothing if background.depth is None else background.depth
        cv2.copyTo(behind, beside, depth)
        return Rendered(np.asarray(image, dtype=np.uint8), depth, ids)

    def _check(self, background: Background) -> None:
        expected = (self.camera.height, self.camera.width)
        image, depth = background.image, background.depth
        if image.shape != (*expected, 3) or image.dtype != np.uint8:
            raise ImageError(
                f"background is {image.dtype} {image.shape}, expected uint8 {(*expected, 3)} "
                "as the camera says"
            )
        if depth is not None and (depth.shape != expected or depth.dtype != np.float32):
            raise ImageError(
                f"background depth is {depth.dtype} {depth.shape}, expected float32 {expected} "
                "as the camera says"
            )

    def _set_light(self, light: Light) -> None:
        towards = np.array(light.towards) / np.linalg.norm(light.towards)
        self._set["to_light"].value = tuple(towards)
        self._set["light"].value = light.colour
        self._set["ambient"].value = light.ambient

    def _draw(self, item: Item) -> None:
        on_gpu = self._meshes.get(id(item.mesh))
        if on_gpu is None:  # it keeps the mesh, so that its id() stays taken
            on_gpu = _MeshOnGpu(self._context, self._program, item.mesh)
            self._meshes[id(item.mesh)] = on_gpu
        self._set["rotation"].write(item.rotation.T.astype("f4").tobytes())
        self._set["translation"].value = tuple(item.translation)
        self._set["textured"].value = on_gpu.texture is not None
        self._set["colour"].value = item.colour
        self._set["tint"].value = item.tint
        self._set["shine"].value = item.shine
        self._set["id"].value = float(item.id)
        on_gpu.draw(item.mesh.vertices if item.vertices is None else item.vertices)

    def _read(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """(H, W, 4) uint8 colour and id, (H, W) float32 depth, zero where nothing was drawn."""
        shape = (self.camera.height, self.camera.width)
        colour = np.empty((*shape, 4), dtype=np.uint8)
        depth = np.empty(shape, dtype=np.float32)
        self._target.read_into(colour, components=4, attachment=0)
        self._target.read_into(depth, components=1, attachment=1, dtype="f4")
        return colour, depth
