"""What a hand holds: whether anything, where it is in the image, and which object it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hoisdf_ros.datatypes import Box
from hoisdf_ros.detection.suppression import share
from hoisdf_ros.looking.look import Pass, vertices_of
from hoisdf_ros.looking.looker import Looker
from hoisdf_ros.looking.placer import Placer, pose_of
from hoisdf_ros.network.model import Hoisdf
from hoisdf_ros.postprocessing.candidates import Candidate, prepare_all
from hoisdf_ros.postprocessing.field_samples import (
    FieldSamples,
    field_mesh,
    sample_field,
    unmirrored,
)
from hoisdf_ros.postprocessing.field_surface import Field
from hoisdf_ros.postprocessing.holding import Holding, holding
from hoisdf_ros.postprocessing.identity import UNKNOWN, Pose, fit_all
from hoisdf_ros.postprocessing.naming import NameVotes, log_odds
from hoisdf_ros.postprocessing.object_box import SeenObject, box_of_object, object_in_mask
from hoisdf_ros.postprocessing.objects import ObjectLibrary
from hoisdf_ros.runtime.fields import predicted_field
from hoisdf_ros.tracking.grasp import Grasp, Placed

AGAIN_S = 1.0
"""The field is asked again after so long; it takes as long as three looks."""

SOON_S = 0.3
"""The same of a hand that is new."""

FIRST_S = 0.15
"""Of a new hand the field is asked after so long."""

_NEW = 3  # times asked
_FADE = 0.6  # weight of what was decided before, whether anything is held
_BOXES_AGREE = 0.4  # a posed object whose box shares less with its mask's is posed wrongly


class Gripper:
    """Says what hands hold.

    Args:
        looker: What showed the network the hands.
        library: The objects they may hold; prepared at once, which takes a quarter second each.
    """

    def __init__(self, looker: Looker, library: ObjectLibrary) -> None:
        self._looker = looker
        self._candidates: Mapping[str, Candidate] = prepare_all(library)
        self._placer = Placer(looker, self._candidates)
        self._meshes = {name: library.get(name) for name in self._candidates}

    def __call__(
        self,
        done: Pass,
        before: Grasp | None,
        limits: tuple[float, float],
        *,
        given: str,
        at_once: bool,
    ) -> Grasp:
        """What one hand holds now.

        Args:
            done: The last look at it.
            before: What it held before; None for a new hand.
            limits: Nearest and farthest depth believed, metres.
            given: Which object it is, when somebody else says so and nobody needs to be asked;
                else empty.
            at_once: Ask the field of a new hand in its first frame; else a moment later, since a
                hand that the first frames cost too much is lost again.
        """
        masks, width = done.masks, done.look.frame.camera.width
        crop = self._looker.crop(done.look)
        seen = object_in_mask(masks.hand, masks.thing, crop, width)
        if before is None and not at_once:
            grasp = _unasked(done)
        elif before is None or _due(before, done):
            field = self._field(self._looker.network.model, done)
            grasp = self._asked(_Evidence(done, seen, field, limits), before, named=bool(given))
        else:
            grasp = before
        name = given or (grasp.named.object_id if grasp.named is not None else "")
        placed = None
        if given or (name and grasp.holding.held):
            placed = self._placer(done, name, None if before is None else before.placed, limits)
        return replace(grasp, placed=placed, box=self._box(done, seen, grasp, placed))

    def _asked(self, evidence: "_Evidence", before: Grasp | None, *, named: bool) -> Grasp:
        """The decision afresh, by the field."""
        done, half_edge = evidence.done, self._half_edge
        wrist, center = done.look.root.position, done.raw[1].center
        samples = sample_field(evidence.field, half_edge)
        skin = vertices_of(done) - center
        held = holding(evidence.seen, done.masks.thing, samples, skin)
        if before is not None and before.times:  # one picture errs more often than several
            score = _FADE * before.holding.score + (1 - _FADE) * held.score
            held = replace(held, score=score)
        votes = before.votes if before is not None and held.held else NameVotes()
        surface = None
        if held.held and samples is not None and evidence.seen is not None and not named:
            votes = votes.plus(self._odds(evidence, samples))
            name = votes.named()
            if name is None or name.object_id == UNKNOWN:
                surface = field_mesh(evidence.field, half_edge)
        stamp = done.look.frame.stamp
        times = 1 if before is None else before.times + 1
        return Grasp(held, votes, stamp, times, None, surface, center - wrist)

    def _odds(self, evidence: "_Evidence", samples: FieldSamples) -> dict[str, float]:
        """How well every known object fits."""
        done = evidence.done
        view = self._placer.view(done, evidence.limits, coloured=True)
        rotation, translation = pose_of(done)
        said = Pose(rotation, translation, done.raw[1].center)
        return log_odds(fit_all(self._candidates, samples, view, said))

    def _field(self, model: Hoisdf, done: Pass) -> Field:
        """The object's field around its centre, along the axes of the image's camera."""
        inputs = self._looker.inputs(done.look)
        field = predicted_field(model, done.features, inputs, "object")
        return unmirrored(field) if done.look.mirrored else field

    def _box(
        self, done: Pass, seen: SeenObject | None, grasp: Grasp, placed: Placed | None
    ) -> Box | None:
        """Around the object: by its pose, if that agrees with the mask, which shows less of it."""
        if not grasp.holding.held:
            return None if seen is None else seen.box
        name = grasp.named.object_id if grasp.named is not None else ""
        pose = pose_of(done)
        if placed is not None:
            name, pose = placed.object_id, (placed.pose.rotation, placed.pose.translation)
        known = self._meshes.get(name)
        if known is not None:
            posed = box_of_object(known.mesh, *pose, done.look.frame.camera)
            if posed is not None and (seen is None or share(posed, seen.box) > _BOXES_AGREE):
                return posed
        return None if seen is None else seen.box

    @property
    def _half_edge(self) -> float:
        """Half the edge of the cube in which the field means something, metres."""
        return 1 / self._looker.network.config.sdf_scale


@dataclass(frozen=True, eq=False)
class _Evidence:
    """What is asked about one look.

    Args:
        done: The look.
        seen: The object that they show.
        field: The object's.
        limits: Depths believed, metres.
    """

    done: Pass
    seen: SeenObject | None
    field: Field
    limits: tuple[float, float]


def _unasked(done: Pass) -> Grasp:
    """Of a new hand nothing is known."""
    offset = done.raw[1].center - done.look.root.position
    nothing = Holding(float("nan"), float("nan"))
    return Grasp(nothing, NameVotes(), done.look.frame.stamp, 0, None, None, offset)


def _due(before: Grasp, done: Pass) -> bool:
    elapsed = done.look.frame.stamp - before.asked
    wait = FIRST_S if not before.times else SOON_S if before.times < _NEW else AGAIN_S
    return not 0 <= elapsed < wait
