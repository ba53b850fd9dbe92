"""What is remembered of what a followed hand holds."""

from dataclasses import dataclass

from hoisdf_ros.datatypes import Array, Box, Mesh
from hoisdf_ros.postprocessing.holding import Holding
from hoisdf_ros.postprocessing.naming import Named, NameVotes


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
    """

    holding: Holding
    votes: NameVotes
    asked: float
    times: int
    box: Box | None
    surface: Mesh | None
    offset: Array

    @property
    def named(self) -> Named | None:
        """The likeliest object; None when nothing is held, or nobody was asked."""
        return self.votes.named() if self.holding.held else None
