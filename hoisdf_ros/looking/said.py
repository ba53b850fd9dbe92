"""What is said of a held object: by whoever gave it, else by what the hand is seen to hold."""

from dataclasses import replace

import numpy as np

from hoisdf_ros.conventions import NameSource
from hoisdf_ros.datatypes import Array, Detection, Naming, ObjectEstimate
from hoisdf_ros.postprocessing.identity import UNKNOWN
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.tracking.grasp import Grasp


def held_object(
    region: HandRegion, grasp: Grasp | None, object_id: str
) -> tuple[Detection | None, Naming]:
    """The object in a hand, with its name and box, and who says so.

    Args:
        region: The hand, and what is given from outside.
        grasp: What it is seen to hold; None when nobody was asked.
        object_id: Of the setting; empty when it names none.

    Returns:
        No object when nothing is given and nothing is held.
    """
    held_score = float("nan") if grasp is None else grasp.holding.score
    if region.held is not None:
        source = NameSource.GIVEN if object_id else NameSource.DETECTED
        score = 1.0 if object_id else region.held.score
        return region.held, Naming(source, score, held_score=held_score)
    if grasp is None or not grasp.holding.held:
        return None, Naming(NameSource.UNKNOWN, 0.0, held_score=held_score)
    box = grasp.box or region.hand.box
    if object_id:
        naming = Naming(NameSource.GIVEN, 1.0, held_score=held_score)
        return Detection(object_id, box, held_score), naming
    named = grasp.named
    if named is None:  # nothing has a surface that could be compared
        naming = Naming(NameSource.UNKNOWN, 0.0, held_score=held_score)
        return Detection(UNKNOWN, box, held_score), naming
    source = NameSource.UNKNOWN if named.object_id == UNKNOWN else NameSource.FIELD
    naming = Naming(source, named.score, named.runner_up_id, named.runner_up_score, held_score)
    return Detection(named.object_id, box, min(named.score, held_score)), naming


def as_surface(held: ObjectEstimate, grasp: Grasp, wrist: Array) -> ObjectEstimate:
    """An unknown object, as the surface that was seen; the pose of no mesh means anything.

    Args:
        held: As it would be with a mesh.
        grasp: What was seen.
        wrist: (3,) metres, camera frame.
    """
    surface = grasp.surface
    return replace(
        held,
        rotation=np.eye(3),
        translation=wrist + grasp.offset,
        covariance=None,
        size=np.full(3, np.nan) if surface is None else surface.size,
        min_hand_distance=grasp.holding.gap_m,
        surface=surface,
    )
