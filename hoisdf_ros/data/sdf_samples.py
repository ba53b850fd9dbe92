"""Points with signed distances to hand and object, drawn when a training sample is used.

The recipe of the field (DeepSDF, Grasping Field, AlignSDF): most points near the surfaces, in two
widths, some anywhere around. Nothing is stored: an object's field is looked up in a grid that is
made once a mesh, and the hand's is measured on its posed surface.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.datatypes import Array, Mesh
from hoisdf_ros.geometry.closing import close_holes
from hoisdf_ros.geometry.mesh import sample_surface, transform
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid, Surface

NEAR_SHARE = 47 / 50
"""Share of points near the surface; half of them in each width."""

WIDTHS = (0.005**0.5, 0.0005**0.5)
"""Standard deviations of the offsets, in units in which both meshes fill the unit ball."""

FILL = 1.03
"""The farthest vertex lies at 1 / FILL of the unit ball's radius."""

FARTHEST = 2.0
"""Points farther than this from either surface are left out, same units."""


@dataclass(frozen=True)
class PosedObject:
    """An object where it is held.

    Args:
        mesh: In its own frame.
        distance: Its signed distance, same frame.
        rotation: (3, 3) camera-from-mesh.
        translation: (3,) metres.
    """

    mesh: Mesh
    distance: SignedDistanceGrid
    rotation: Array
    translation: Array

    @property
    def posed(self) -> Mesh:
        """The mesh in the camera frame."""
        return Mesh(transform(self.mesh.vertices, self.rotation, self.translation), self.mesh.faces)

    def signed_distance(self, points: Array) -> Array:
        """(N,) metres from (N, 3) points of the camera frame, negative inside."""
        return self.distance((points - self.translation) @ self.rotation)


@dataclass(frozen=True)
class SdfSamples:
    """Points and their distances.

    Args:
        points: (N, 3) metres, camera frame.
        hand: (N,) signed distance to the hand, metres, negative inside.
        object: (N,) the same to the object; NaN without one.
        of_hand: (N,) bool, drawn around the hand; else around the object.
    """

    points: Array
    hand: Array
    object: Array
    of_hand: NDArray[np.bool_]


def sample_fields(
    hand: Mesh, held: PosedObject | None, count: int, rng: np.random.Generator
) -> SdfSamples:
    """Draw points around the hand, and as many around the object.

    Args:
        hand: Posed hand in the camera frame, metres; closed at the wrist here.
        held: The object, or None.
        count: Points around each surface; a few fewer come out, see `FARTHEST`.
        rng: Where the chance comes from.
    """
    closed = Mesh(hand.vertices, close_holes(hand.faces))
    meshes = [closed] if held is None else [closed, held.posed]
    center, scale = _unit_ball(meshes)
    drawn = [_draw(mesh, count, center, scale, rng) for mesh in meshes]
    points = np.concatenate(drawn)
    of_hand = np.arange(len(points)) < len(drawn[0])
    to_hand = Surface(closed).signed_distance(points)
    to_object = np.full(len(points), np.nan) if held is None else held.signed_distance(points)
    near = np.fmax(np.abs(to_hand), np.abs(to_object)) < FARTHEST * scale
    return SdfSamples(points[near], to_hand[near], to_object[near], of_hand[near])


def _unit_ball(meshes: list[Mesh]) -> tuple[Array, float]:
    """Middle of the meshes' common box, and the radius (m) of the ball that they fill."""
    vertices = np.concatenate([mesh.vertices for mesh in meshes])
    center = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    return center, FILL * float(np.linalg.norm(vertices - center, axis=1).max())


def _draw(mesh: Mesh, count: int, center: Array, scale: float, rng: np.random.Generator) -> Array:
    """(count, 3) points near a surface and anywhere in the cube around the ball, metres."""
    return np.concatenate(list(_parts(mesh, count, center, scale, rng)))


def _parts(
    mesh: Mesh, count: int, center: Array, scale: float, rng: np.random.Generator
) -> Iterator[Array]:
    near = round(NEAR_SHARE * count)
    for width, part in zip(WIDTHS, (near - near // 2, near // 2), strict=True):
        surface, _ = sample_surface(mesh, part, rng)
        yield surface + width * scale * rng.standard_normal((part, 3))
    yield center + scale * rng.uniform(-1, 1, (count - near, 3))
