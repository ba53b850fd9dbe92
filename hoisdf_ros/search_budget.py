"""How many points the coarse-to-fine search may evaluate."""

from collections.abc import Sequence
from dataclasses import dataclass

from hoisdf_ros.errors import ConfigError

MOST_CHOSEN = 3840
"""TensorRT takes the best of no more than these at once."""


@dataclass(frozen=True)
class SearchBudget:
    """How much of a field the coarse-to-fine search evaluates: ``seen + 8 * sum(kept)`` points.

    Args:
        seen: Cells of the coarsest level that are evaluated, nearest to the field's centre first.
        kept: Cells kept of each level, coarsest first. Each is split into 2x2x2 cells of the next
            level; the last level's into points of the lattice.
    """

    seen: int
    kept: tuple[int, ...]

    @property
    def evaluated(self) -> int:
        """Points at which the field is evaluated."""
        return self.seen + 8 * sum(self.kept)


def check_search(lattice_size: int, budgets: Sequence[SearchBudget], points: Sequence[int]) -> None:
    """Refuse budgets that do not fit the lattice, or each other.

    Args:
        lattice_size: Points along each edge of the lattice.
        budgets: Of the hand's field and of the object's.
        points: Query points wanted of each field.

    Raises:
        ConfigError: Says what to change.
    """
    hand, held = budgets
    levels = len(hand.kept)
    if not levels or len(held.kept) != levels:
        raise ConfigError(
            f"hand_search keeps cells of {levels} levels and object_search of "
            f"{len(held.kept)}: expected the same number, at least 1"
        )
    if lattice_size % 2**levels:
        raise ConfigError(
            f"lattice_size {lattice_size} does not divide by {2**levels}, as a search of "
            f"{levels} levels needs; change it, or take the dense sampler"
        )
    for budget, count in zip(budgets, points, strict=True):
        cells = (lattice_size >> levels) ** 3
        there = (min(budget.seen, cells), *(8 * kept for kept in budget.kept))
        wanted = (*budget.kept, count)
        if any(more > less for more, less in zip(wanted, there, strict=True)):
            raise ConfigError(
                f"{budget} for {count} points: {wanted} are wanted of {there} evaluated; "
                "enlarge the budget"
            )
        if max(budget.seen, *wanted) > MOST_CHOSEN:
            raise ConfigError(
                f"{budget}: TensorRT takes the best {MOST_CHOSEN} at most; make it smaller"
            )
