"""One look at one hand: what the network is asked, and what it says."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from hoisdf_ros.conventions import MIRROR, Side
from hoisdf_ros.datatypes import Array, Box, Frame, Root, StageTimes
from hoisdf_ros.network.io import ImageFeatures
from hoisdf_ros.postprocessing.hand import RawHand
from hoisdf_ros.postprocessing.object_view import Masks
from hoisdf_ros.postprocessing.objects import RawObject
from hoisdf_ros.postprocessing.sight import Sight, see
from hoisdf_ros.preprocessing.boxes import HandRegion
from hoisdf_ros.preprocessing.crop import Crop


@dataclass(frozen=True)
class Look:
    """One hand to estimate.

    Args:
        frame: The image.
        region: Boxes of hand and object.
        root: The wrist.
    """

    frame: Frame
    region: HandRegion
    root: Root

    @property
    def held_box(self) -> Box:
        """The object's box; where none is known, of what may be held, else the hand's."""
        held = self.region.held
        return held.box if held is not None else self.region.around or self.region.hand.box

    @property
    def mirrored(self) -> bool:
        """Whether the network sees a mirror image, in which a left hand is a right one."""
        return self.region.side is Side.LEFT


@dataclass(frozen=True, eq=False)
class Pass:
    """What one pass of the network says of one hand.

    Args:
        look: What it was asked.
        raw: Hand and object.
        features: What the image alone says.
        times: What it took.
    """

    look: Look
    raw: tuple[RawHand, RawObject]
    features: ImageFeatures
    times: StageTimes

    @cached_property
    def masks(self) -> Masks:
        """Where the image shows hand and object, fetched from the network's device once."""
        maps = (self.features.hand_mask, self.features.object_mask)
        return Masks(*(arrays_of(probabilities)[0, 0] for probabilities in maps))


def joints_of(done: Pass) -> Array:
    """(21, 3) of the hand where it is, metres, camera frame of the image."""
    return _placed(done, done.raw[0].joints)


def vertices_of(done: Pass) -> Array:
    """(778, 3) of the hand where it is, metres, camera frame of the image."""
    return _placed(done, done.raw[0].vertices)


def _placed(done: Pass, points: Array) -> Array:
    own: Array = points @ MIRROR if done.look.mirrored else points
    return own + done.look.root.position


def sight_of(done: Pass, crop: Crop, limits: tuple[float, float]) -> Sight | None:
    """What the depth shows of a look; None without depth.

    Args:
        done: A look.
        crop: What the network saw.
        limits: Nearest and farthest depth believed, metres.
    """
    depth, masks = done.look.frame.depth, done.masks
    return None if depth is None else see(depth, crop, masks.hand, masks.thing, limits)


def arrays_of(tensor: Tensor) -> Array:
    """A batch in double precision."""
    array: Array = tensor.double().cpu().numpy()
    return array


def total(times: Sequence[StageTimes]) -> StageTimes:
    """The sum, stage by stage."""
    names = [entry.name for entry in dataclasses.fields(StageTimes)]
    return StageTimes(*(sum(getattr(spent, name) for spent in times) for name in names))
