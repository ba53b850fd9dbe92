"""What a setting is besides its value: a description and limits."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ParameterInfo:
    """What a user is told about a parameter, and what is refused.

    Args:
        description: What it does, with its unit.
        low, high: Smallest and largest value, or None.
        choices: The only values accepted, or empty.
        live: May change while the node runs.
    """

    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False


def parameter(default: Any, description: str, **info: Any) -> Any:  # noqa: ANN401
    """A dataclass field that is also a ROS parameter; ``info`` as for `ParameterInfo`."""
    return field(default=default, metadata={"info": ParameterInfo(description, **info)})
