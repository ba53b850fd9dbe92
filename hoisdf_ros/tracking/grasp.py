"""What is remembered of what a followed hand holds."""

from dataclasses import dataclass

from hoisdf_ros.datatypes import Array, Box, Mesh
from hoisdf_ros.postprocessing.holding import Holding
from hoisdf_ros.postprocessing.naming import Named, NameVotes
from hoisdf_ros.postprocessing.object_pose import PlacedObject


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a held object was on the depth.

    Args:
        object_id: Which one.
        pose: There.
        wrist: (3,) of the hand then, metres, camera frame.
        searched: When it was looked for in every turn last, seconds.
    """

    object_id: str
    pose: PlacedObject
    wrist: Array
    searched: float


@dataclass(frozen=True, eq=False)
class Grasp:
    """What is known of what a followed hand holds.

    Args:
        holding: Whether it holds anything.
        votes: On the name.
        asked: When the field was asked last, seconds.
        times: How often it was asked.
        box: Around the object, pixels of the frame it was seen in; None when none is seen.
        surface: Of an object that is none of the known ones, metres from ``offset``.
        offset: (3,) from the wrist to the origin of the surface, metres, camera axes.
        placed: Where depth shows the object, if it does and is known.
    """

    holding: Holding
    votes: NameVotes
    asked: float
    times: int
    box: Box | None
    surface: Mesh | None
    offset: Array
    placed: Placed | None = None

    @property
    def named(self) -> Named | None:
        """The likeliest object; None when nothing is held, or nobody was asked."""
        return self.votes.named() if self.holding.held else None
