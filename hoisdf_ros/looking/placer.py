"""Where a held object is that somebody has named: on the depth, frame after frame."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hoisdf_ros.conventions import MIRROR
from hoisdf_ros.datatypes import Array
from hoisdf_ros.geometry.rotation import matrix_from_rotation_vector, rotation_vector_from_matrix
from hoisdf_ros.looking.look import Pass, sight_of
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.postprocessing.candidates import Candidate
from hoisdf_ros.postprocessing.object_pose import (
    MAX_MISFIT_M,
    MIN_MEASURED,
    PlacedObject,
    middle_of,
    place,
    search,
)
from hoisdf_ros.postprocessing.object_view import ObjectView, view_object
from hoisdf_ros.postprocessing.settling import Poses
from hoisdf_ros.tracking.grasp import Placed

AGAIN_S = 1.0
"""A followed object is looked for in every turn again after so long."""

SOON_S = 0.3
"""The same of one that fits badly."""

_GOOD_M = 0.008  # misfit of a pose that is right, as a rule
_BETTER = 0.8  # another pose must fit so much better than where the object was followed to


class Placer:
    """Lays named objects on the depth.

    Args:
        looker: What showed the network the hands.
        candidates: The objects, prepared, by id.
    """

    def __init__(self, looker: Looker, candidates: Mapping[str, Candidate]) -> None:
        self._looker, self._candidates = looker, candidates

    def __call__(
        self, done: Pass, object_id: str, before: Placed | None, limits: tuple[float, float]
    ) -> Placed | None:
        """Where the object in a hand is.

        Args:
            done: The last look at the hand.
            object_id: What it holds.
            before: Where that was before; None when it is new.
            limits: Nearest and farthest depth believed, metres.

        Returns:
            None without depth on it, for an object that the library lacks, and where it fits
            nowhere.
        """
        candidate, frame = self._candidates.get(object_id), done.look.frame
        if candidate is None or frame.depth is None:
            return None
        view = self.view(done, limits)
        if len(view.measured) < MIN_MEASURED:
            return None
        if before is not None and before.object_id != object_id:
            before = None
        stamp, wrist = frame.stamp, done.look.root.position
        found, searched = None, stamp
        if before is not None:
            found = place(candidate, view, _followed(candidate, before, wrist))
            searched = before.searched
        if found is None or _due(found, stamp - searched):
            found, searched = _better(found, self._anywhere(candidate, view, done)), stamp
        if found.misfit > MAX_MISFIT_M:
            return None
        return Placed(object_id, found, wrist, searched)

    def view(
        self, done: Pass, limits: tuple[float, float], *, coloured: bool = False
    ) -> ObjectView:
        """What a look shows of the held object beside the field.

        Args:
            done: The look.
            limits: Nearest and farthest depth believed, metres.
            coloured: Its colours, too.
        """
        crop = self._looker.crop(done.look)
        picture = crop.apply(done.look.frame.image) if coloured else None
        sight = sight_of(done, crop, limits)
        return view_object(done.masks, picture, crop.intrinsics, sight, mirrored=crop.mirrored)

    def _anywhere(self, candidate: Candidate, view: ObjectView, done: Pass) -> PlacedObject:
        rotation, translation = pose_of(done)
        middle = middle_of(candidate, rotation, translation)
        return place(candidate, view, search(candidate, view, rotation, middle))


def pose_of(done: Pass) -> tuple[Array, Array]:
    """The object's (3, 3) rotation, camera-from-mesh, and (3,) translation, metres."""
    raw, flip = done.raw[1], MIRROR if done.look.mirrored else np.eye(3)
    rotation: Array = flip @ matrix_from_rotation_vector(raw.rotation) @ flip
    return rotation, raw.center + flip @ raw.translation


def with_placed(done: Pass, placed: PlacedObject) -> Pass:
    """The look, with the object where depth says instead of the network."""
    hand, raw = done.raw
    flip = MIRROR if done.look.mirrored else np.eye(3)
    moved = replace(
        raw,
        rotation=rotation_vector_from_matrix(flip @ placed.rotation @ flip),
        translation=flip @ (placed.translation - raw.center),
        covariance=placed.covariance,
    )
    return replace(done, raw=(hand, moved))


def _followed(candidate: Candidate, before: Placed, wrist: Array) -> Poses:
    """Where it was, and there again after it has moved with the hand."""
    pose = before.pose
    middle = middle_of(candidate, pose.rotation, pose.translation)
    places = np.stack([middle, middle + wrist - before.wrist])
    return Poses(np.broadcast_to(pose.rotation, (2, 3, 3)), places)


def _due(found: PlacedObject, elapsed: float) -> bool:
    return not 0 <= elapsed < (AGAIN_S if found.misfit < _GOOD_M else SOON_S)


def _better(followed: PlacedObject | None, anywhere: PlacedObject) -> PlacedObject:
    """A turn that fits as well as another is kept, so that nothing jumps."""
    if followed is None or anywhere.misfit < _BETTER * followed.misfit:
        return anywhere
    return followed
