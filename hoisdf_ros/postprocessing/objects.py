"""The held object in the camera frame: its mesh, its pose, and where the hand touches it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hoisdf_ros.conventions import MIRROR, NUM_JOINTS
from hoisdf_ros.datatypes import Array, Detection, HandEstimate, Mesh, ObjectEstimate
from hoisdf_ros.geometry.mesh import PACKAGED_OBJECTS, find_objects, load_mesh
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector
from hoisdf_ros.geometry.signed_distance import SignedDistanceGrid

GRID_M = 0.006
"""Edge of the distance grid's cells: a grid of the largest object takes a quarter second."""

CONTACT_M = 0.005
"""Skin nearer to the object than this touches it; poses are no better."""


@dataclass(frozen=True)
class KnownObject:
    """An object of the library; its distance grid is made when it is first asked for."""

    object_id: str
    mesh: Mesh

    @cached_property
    def distance(self) -> SignedDistanceGrid:
        """Signed distance to the mesh, metres, in the mesh frame."""
        return SignedDistanceGrid.of(self.mesh, spacing=GRID_M)


def object_directory(setting: str) -> Path:
    """The folder that ``object_dir`` names; empty is the packaged set."""
    return Path(setting).expanduser() if setting else PACKAGED_OBJECTS


class ObjectLibrary:
    """Meshes by object id, read when first used.

    Args:
        directory: One ``<object_id>/textured.obj`` per object.

    Raises:
        MeshError: The folder holds no such file.
    """

    def __init__(self, directory: Path) -> None:
        self.paths = find_objects(directory)
        self._known: dict[str, KnownObject] = {}

    @property
    def ids(self) -> tuple[str, ...]:
        """Object ids, sorted."""
        return tuple(self.paths)

    def get(self, object_id: str) -> KnownObject | None:
        """The object, or None when the library lacks it."""
        if object_id not in self.paths:
            return None
        if object_id not in self._known:
            self._known[object_id] = KnownObject(object_id, load_mesh(self.paths[object_id]))
        return self._known[object_id]


@dataclass(frozen=True)
class RawObject:
    """What the network says of the object, in the crop's (maybe mirrored) camera frame.

    Args:
        rotation: (3,) rotation vector, camera from mesh.
        translation: (3,) mesh origin, metres from the object centre.
        votes: (N, 6) each point's translation and rotation vector.
        center: (3,) object centre, camera frame of the image, metres.
        mirrored: The crop was mirrored.
        covariance: (6, 6) of position (m) and rotation vector (rad), axes of the image's camera,
            of a pose that depth has told; None: the votes say how sure it is.
    """

    rotation: Array
    translation: Array
    votes: Array
    center: Array
    mirrored: bool
    covariance: Array | None = None


def estimate_object(
    raw: RawObject, known: KnownObject | None, seen: Detection, hand: HandEstimate
) -> ObjectEstimate:
    """Put the object where the network says, and measure how the hand touches it.

    Args:
        raw: The network's answer.
        known: Its mesh; None leaves size, distance and contact unknown.
        seen: Its name, score and box.
        hand: The hand that holds it.
    """
    flip = MIRROR if raw.mirrored else np.eye(3)
    rotation = flip @ matrix_from_rotation_vector(raw.rotation) @ flip
    translation = raw.center + flip @ raw.translation
    distance = _skin_distance(known, rotation, translation, hand.vertices)
    return ObjectEstimate(
        id=hand.id,
        object_id=seen.label,
        hand_id=hand.id,
        score=seen.score,
        rotation=rotation,
        translation=translation,
        covariance=vote_covariance(raw.votes, hand.root.covariance, mirrored=raw.mirrored)
        if raw.covariance is None
        else raw.covariance,
        size=known.mesh.size if known else np.full(3, np.nan),
        min_hand_distance=float(distance.min()) if known else float("nan"),
        joint_contact=joint_contact(hand, distance),
        roi=seen.box,
    )


def vote_covariance(votes: Array, root: Array, *, mirrored: bool) -> Array | None:
    """Covariance of the object's pose.

    Args:
        votes: (N, 6) each point's translation (m) and rotation vector (rad).
        root: (3, 3) covariance of the wrist, whose depth the object's centre shares.
        mirrored: The votes are of the mirrored scene.

    Returns:
        (6, 6) spread of the votes, plus the wrist's; None when the wrist's is unknown.
    """
    if not np.isfinite(root).all():
        return None
    signs = np.array([-1, 1, 1, 1, -1, -1]) if mirrored else np.ones(6)
    covariance = np.cov(votes * signs, rowvar=False).astype(np.float64)
    covariance[:3, :3] += root
    return covariance


def joint_contact(hand: HandEstimate, skin_distance: Array) -> NDArray[np.bool_]:
    """Which joints' skin touches the object.

    Args:
        hand: The hand; each vertex belongs to its nearest joint.
        skin_distance: (778,) signed distance of the vertices to the object, metres; NaN unknown.

    Returns:
        (21,) bool.
    """
    offsets = hand.vertices[:, None] - hand.joints[None]
    owner = np.square(offsets).sum(axis=2).argmin(axis=1)
    touching = owner[skin_distance < CONTACT_M]
    return np.isin(np.arange(NUM_JOINTS), touching)


def _skin_distance(
    known: KnownObject | None, rotation: Array, translation: Array, vertices: Array
) -> Array:
    if known is None:
        return np.full(len(vertices), np.nan)
    return known.distance((vertices - translation) @ rotation)
