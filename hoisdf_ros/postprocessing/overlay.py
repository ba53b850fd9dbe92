"""Estimates drawn on the image they came from, and seen from the side."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import BONES, FINGER_BASES, Side
from hoisdf_ros.datatypes import Array, Camera, Estimate, Mesh, ObjectEstimate
from hoisdf_ros.geometry.camera import project
from hoisdf_ros.geometry.mesh import face_normals, transform

Image = NDArray[np.uint8]
Faces = NDArray[np.integer]
Color = tuple[int, int, int]

FINGER_COLORS: tuple[Color, ...] = (
    (230, 75, 60),
    (240, 170, 50),
    (90, 190, 80),
    (60, 140, 230),
    (160, 90, 220),
)
HAND_COLOR: Color = (235, 190, 160)
OBJECT_COLOR: Color = (70, 200, 230)
OPACITY = 0.55
NEAR_M = 0.02


def draw(
    image: Image,
    estimate: Estimate,
    camera: Camera,
    faces: Mapping[Side, Faces],
    meshes: Mapping[str, Mesh],
) -> Image:
    """The image with hand mesh, joints and the object's outline on top.

    Args:
        image: (H, W, 3) uint8 RGB, left as it is.
        estimate: What to draw, camera frame.
        camera: Of the image.
        faces: (1538, 3) triangles of the hand mesh by side.
        meshes: Object meshes by id; an object without one is drawn as its three axes only.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    canvas = image.copy()
    for held in estimate.objects:
        _draw_object(canvas, held, camera, meshes.get(held.object_id))
    for hand in estimate.hands:
        draw_surface(canvas, hand.vertices, faces[hand.side], camera, HAND_COLOR)
        draw_joints(canvas, hand.joints, camera)
    return canvas


def side_view(
    size: tuple[int, int],
    estimate: Estimate,
    faces: Mapping[Side, Faces],
    meshes: Mapping[str, Mesh],
) -> Image:
    """The same scene looked at from the left of the camera, where depth shows.

    Args:
        size: Width and height, pixels.
        estimate: What to draw, camera frame.
        faces: (1538, 3) triangles of the hand mesh by side.
        meshes: Object meshes by id.

    Returns:
        (H, W, 3) uint8 RGB on a light ground; empty ground for an empty estimate.
    """
    width, height = size
    ground: Image = np.full((height, width, 3), 245, dtype=np.uint8)
    if not estimate.hands:
        return ground
    center = np.mean([hand.joints.mean(axis=0) for hand in estimate.hands], axis=0)
    distance, focal = 0.6, 1.2 * width
    camera = Camera(focal, focal, width / 2, height / 2, width, height)
    turn = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])  # camera z becomes x
    shift = np.array([0.0, 0.0, distance]) - turn @ center
    for held in estimate.objects:
        if held.object_id in meshes:
            posed = transform(_posed(held, meshes[held.object_id]), turn, shift)
            draw_surface(ground, posed, meshes[held.object_id].faces, camera, OBJECT_COLOR)
    for hand in estimate.hands:
        posed = transform(hand.vertices, turn, shift)
        draw_surface(ground, posed, faces[hand.side], camera, HAND_COLOR)
    return ground


def caption(image: Image, text: str, *, warning: bool = False) -> Image:
    """The image with one line of text in its top left corner."""
    canvas = image.copy()
    color: Color = (200, 30, 30) if warning else (30, 30, 30)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.55
    (width, height), base = cv2.getTextSize(text, font, scale, 1)
    cv2.rectangle(canvas, (0, 0), (width + 12, height + base + 10), (255, 255, 255), -1)
    cv2.putText(canvas, text, (6, height + 5), font, scale, color, 1, cv2.LINE_AA)
    return canvas


def draw_outline(canvas: Image, vertices: Array, faces: Faces, camera: Camera) -> None:
    """Draw the outline of a mesh, unless a part of it lies beside or behind the camera.

    Args:
        canvas: (H, W, 3) uint8 RGB, drawn on.
        vertices: (V, 3) metres, camera frame.
        faces: (F, 3) vertex indices.
        camera: Of the canvas.
    """
    if vertices[:, 2].min() <= NEAR_M:
        return
    mask = np.zeros(canvas.shape[:2], dtype=np.uint8)
    for triangle in _pixels(vertices, camera)[faces]:
        cv2.fillConvexPoly(mask, triangle, 1)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, OBJECT_COLOR, 2, cv2.LINE_AA)


def _draw_object(canvas: Image, held: ObjectEstimate, camera: Camera, mesh: Mesh | None) -> None:
    if mesh is not None:
        draw_outline(canvas, _posed(held, mesh), mesh.faces, camera)
    _draw_axes(canvas, held.rotation, held.translation, camera)


def _draw_axes(canvas: Image, rotation: Array, origin: Array, camera: Camera) -> None:
    length = 0.04  # metres
    points = np.vstack([origin, origin + length * rotation.T])
    if points[:, 2].min() <= NEAR_M:
        return
    pixels = _pixels(points, camera)
    for end, color in zip(pixels[1:], ((220, 40, 40), (40, 170, 40), (40, 70, 220)), strict=True):
        cv2.line(canvas, _xy(pixels[0]), _xy(end), color, 2, cv2.LINE_AA)


def draw_surface(
    canvas: Image, vertices: Array, faces: Faces, camera: Camera, color: Color
) -> None:
    """Fill the triangles that face the camera from far to near, shaded by their slope.

    Args:
        canvas: (H, W, 3) uint8 RGB, drawn on.
        vertices: (V, 3) metres, camera frame.
        faces: (F, 3) vertex indices, anticlockwise seen from outside.
        camera: Of the canvas.
        color: Where the surface faces the camera, RGB.
    """
    if vertices[:, 2].min() <= NEAR_M:
        return
    normals = face_normals(vertices, np.asarray(faces, dtype=np.int32))
    centers = vertices[faces].mean(axis=1)
    slope = -np.einsum("fc,fc->f", normals, centers)
    slope /= np.linalg.norm(normals, axis=1) * np.linalg.norm(centers, axis=1) + 1e-12
    front = np.flatnonzero(slope > 0)
    front = front[np.argsort(-centers[front, 2])]
    pixels = _pixels(vertices, camera)
    layer = canvas.copy()
    shades = np.array(color) * (0.45 + 0.55 * slope[front, None])
    for triangle, shade in zip(pixels[faces[front]], shades.tolist(), strict=True):
        cv2.fillConvexPoly(layer, triangle, shade)
    cv2.addWeighted(layer, OPACITY, canvas, 1 - OPACITY, 0.0, dst=canvas)


def draw_joints(canvas: Image, joints: Array, camera: Camera) -> None:
    """Draw joints and bones, a colour for each finger, unless one is not known or too near.

    Args:
        canvas: (H, W, 3) uint8 RGB, drawn on.
        joints: (21, 3) metres, camera frame.
        camera: Of the canvas.
    """
    if not (joints[:, 2] > NEAR_M).all():
        return
    pixels = _pixels(joints, camera)
    for parent, joint in BONES:
        finger = max(i for i, base in enumerate(FINGER_BASES) if joint >= base)
        start, end = _xy(pixels[parent]), _xy(pixels[joint])
        cv2.line(canvas, start, end, FINGER_COLORS[finger], 2, cv2.LINE_AA)
        cv2.circle(canvas, end, 3, FINGER_COLORS[finger], -1, cv2.LINE_AA)
    cv2.circle(canvas, _xy(pixels[0]), 4, (40, 40, 40), -1, cv2.LINE_AA)


def _posed(held: ObjectEstimate, mesh: Mesh) -> Array:
    return transform(mesh.vertices, held.rotation, held.translation)


def _pixels(points: Array, camera: Camera) -> NDArray[np.int32]:
    return np.clip(np.rint(project(points, camera)), -10_000, 10_000).astype(np.int32)


def _xy(pixel: NDArray[np.int32]) -> tuple[int, int]:
    return int(pixel[0]), int(pixel[1])
