"""ROS parameters that are exactly the fields of a dataclass: of `NodeConfig`, for the node.

Names, defaults, units and ranges stand in the dataclass; this file only translates them.
``python -m hoisdf_ros.ros.parameters`` prints ``config/hoisdf.yaml``.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from difflib import get_close_matches
from textwrap import wrap
from typing import Any, TypeVar

import yaml
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.errors import ConfigError, HoisdfError
from hoisdf_ros.parameter import ParameterInfo

Config = TypeVar("Config")

INFOS: dict[str, ParameterInfo] = {
    field.name: field.metadata["info"] for field in fields(NodeConfig)
}
"""What is known of every parameter of the node, by name."""

_KINDS = {
    bool: "a truth value (true or false)",
    int: "a whole number",
    float: "a number with a decimal point",
    str: "text",
}


def declare(
    node: Node, accept: Callable[[NodeConfig], None], on_change: Callable[[NodeConfig], None]
) -> None:
    """Declare every field of `NodeConfig`, and check whatever is set from now on.

    Args:
        node: The node that gets the parameters.
        accept: Called with a configuration that shall hold from now on, at run time; raises
            `HoisdfError` to refuse it.
        on_change: Called with the whole new configuration after a change at run time.

    Raises:
        ConfigError: See `declare_fields`.
    """

    def refuse_wrong(parameters: Iterable[Parameter]) -> SetParametersResult:
        values = {p.name: p.value for p in parameters if p.name in INFOS}
        try:
            _check_each(values, INFOS)
            if values:
                config = replace(read(node), **values)
                _check_together(config)
                accept(config)
        except HoisdfError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def tell(parameters: Iterable[Parameter]) -> None:
        if any(p.name in INFOS for p in parameters):
            on_change(read(node))

    declare_fields(node, NodeConfig)
    node.add_on_set_parameters_callback(refuse_wrong)
    node.add_post_set_parameters_callback(tell)


def declare_fields(node: Node, kind: type[Config]) -> Config:
    """Declare every field of a dataclass of `config.parameter` fields, and warn of other names.

    A name that nobody declares is no error to ROS: the file or launch file may be shared with
    other nodes.

    Args:
        node: The node that gets the parameters.
        kind: The dataclass; all its fields have defaults.

    Returns:
        The dataclass with what was given at start, in a file, launch file or command line.

    Raises:
        ConfigError: Something given at start cannot be used; it is named, with the reason.
    """
    default: Any = kind()
    infos = {field.name: field.metadata["info"] for field in fields(default)}
    overrides = node._parameter_overrides.items()  # rclpy has no public name for them
    given = {name: override.value for name, override in overrides}
    values = {name: value for name, value in given.items() if name in infos}
    for name, value in values.items():
        _check_kind(name, value, getattr(default, name))
    _check_each(values, infos)
    entries = [(name, value, descriptor(name, kind)) for name, value in asdict(default).items()]
    node.declare_parameters("", entries)
    for name in given:
        if not node.has_parameter(name) and not name.startswith("qos_overrides."):
            node.get_logger().warning(_unknown(name, infos))
    return kind(**{**asdict(default), **values})


def read(node: Node) -> NodeConfig:
    """The configuration as the node's parameters have it now."""
    return NodeConfig(**{name: node.get_parameter(name).value for name in INFOS})


def checked(config: NodeConfig) -> NodeConfig:
    """The same configuration, when every value and their combination can be used.

    Raises:
        ConfigError: Naming the parameter, its value and what was expected.
    """
    _check_each(asdict(config), INFOS)
    _check_together(config)
    return config


def descriptor(name: str, kind: type = NodeConfig) -> ParameterDescriptor:
    """What ``ros2 param describe`` says about the parameter ``name``, a field of ``kind``."""
    (field,) = (field for field in fields(kind) if field.name == name)
    info: ParameterInfo = field.metadata["info"]
    result = ParameterDescriptor(
        name=name,
        description=info.description,
        additional_constraints=_choices_text(info),
        read_only=not info.live,
    )
    if info.low is not None and info.high is not None:
        if isinstance(field.default, int):
            limits = IntegerRange(from_value=int(info.low), to_value=int(info.high), step=1)
            result.integer_range = [limits]
        else:
            span = FloatingPointRange(from_value=float(info.low), to_value=float(info.high))
            result.floating_point_range = [span]
    return result


def yaml_text() -> str:
    """The parameter file with every parameter at its default, its meaning above it."""
    lines = [
        "# Every parameter of hoisdf_node at its default. Written by",
        "#   python -m hoisdf_ros.ros.parameters > config/hoisdf.yaml",
        "# Numbers with a decimal point must keep it: 5.0, not 5.",
        "/**:",
        "  ros__parameters:",
    ]
    for name, default in asdict(NodeConfig()).items():
        lines += [f"    # {line}" for line in wrap(_meaning(INFOS[name]), width=90)]
        lines.append(f"    {name}: {_scalar(default)}")
    return "\n".join(lines) + "\n"


def _meaning(info: ParameterInfo) -> str:
    """Description, choices, range and whether it may change while the node runs."""
    parts = [info.description]
    if info.choices:
        parts.append(_choices_text(info))
    if info.low is not None and info.high is not None:
        parts.append(f"from {info.low:g} to {info.high:g}")
    if info.live:
        parts.append("can be changed at run time")
    return "; ".join(parts) + "."


def _scalar(value: object) -> str:
    """A YAML scalar; strings are quoted, so that an empty or numeric-looking one stays one."""
    style = '"' if isinstance(value, str) else None
    text: str = yaml.safe_dump(value, default_style=style)
    return text.removesuffix("...\n").strip()


def _choices_text(info: ParameterInfo) -> str:
    return "one of " + ", ".join(f"'{choice}'" for choice in info.choices) if info.choices else ""


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    advice = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
    return f"parameter '{name}' is not one of this node's and changes nothing: {advice}"


def _check_kind(name: str, value: object, default: object) -> None:
    """Refuse another type than the default's, and say how to write the right one."""
    wanted, found = type(default), type(value)
    if found is wanted:
        return
    shown = str(value).lower() if found is bool else str(value)
    text = f"{name}: {shown} is {_KINDS.get(found, 'a list')}, expected {_KINDS[wanted]}"
    if (wanted, found) == (float, int):
        text += f": write {shown}.0"
    elif wanted is str:
        text += f""": quote it, in a shell as "{name}:='{shown}'\""""
    raise ConfigError(text)


def _check_each(values: Mapping[str, Any], infos: Mapping[str, ParameterInfo]) -> None:
    for name, value in values.items():
        info = infos[name]
        if info.choices and value not in info.choices:
            raise ConfigError(f"{name}: '{value}' is not {_choices_text(info)}")
        low, high = info.low, info.high
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{name}: {value} is not a finite number")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConfigError(f"{name}: {value} is not between {low:g} and {high:g}")


def _check_together(config: NodeConfig) -> None:
    if config.min_depth_m >= config.max_depth_m:
        raise ConfigError(
            f"min_depth_m {config.min_depth_m} is not below max_depth_m {config.max_depth_m}: "
            "no depth would be believed; set both in one go"
        )


if __name__ == "__main__":
    print(yaml_text(), end="")
