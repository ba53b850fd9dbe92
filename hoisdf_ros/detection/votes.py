"""Which side a hand is, by what was seen over time."""

from dataclasses import dataclass

from hoisdf_ros.conventions import Side

_MEMORY = 30.0
"""Frames after which a vote counts a third: a second of video."""

_TURN = 0.1
"""A side once named is kept until the mean is so far beyond the middle."""


@dataclass(frozen=True)
class Votes:
    """A running mean of the network's opinions; old ones fade.

    One frame's opinion is wrong now and then, above all when an object hides the fingers, but a
    hand does not change its side: start afresh for every track.

    Args:
        right: Weighted sum of the opinions.
        weight: Sum of their weights.
        side: What is named now.
    """

    right: float = 0.0
    weight: float = 0.0
    side: Side = Side.UNKNOWN

    def plus(self, right_score: float, presence: float = 1.0) -> "Votes":
        """One more opinion.

        Args:
            right_score: Probability of a right hand, in [0, 1].
            presence: How much it counts: the probability that there is a hand, in [0, 1].
        """
        fade = 1.0 - 1.0 / _MEMORY
        right, weight = fade * self.right + presence * right_score, fade * self.weight + presence
        return Votes(right, weight, self._named(right / weight) if weight > 0 else self.side)

    @property
    def score(self) -> float:
        """Mean probability of the named side, in [0, 1]; 0 while none is."""
        if self.side is Side.UNKNOWN:
            return 0.0
        mean = self.right / self.weight
        return mean if self.side is Side.RIGHT else 1.0 - mean

    def _named(self, mean: float) -> Side:
        if self.side is Side.RIGHT:
            return Side.RIGHT if mean > 0.5 - _TURN else Side.LEFT
        if self.side is Side.LEFT:
            return Side.LEFT if mean < 0.5 + _TURN else Side.RIGHT
        return Side.RIGHT if mean >= 0.5 else Side.LEFT
