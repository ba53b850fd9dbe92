"""ROS parameters that are exactly the fields of `NodeConfig`.

Names, defaults, units and ranges stand in the dataclass; this file only translates them.
``python -m hoisdf_ros.ros.parameters`` prints ``config/hoisdf.yaml``.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields, replace
from textwrap import wrap
from typing import Any

import yaml
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from hoisdf_ros.config import NodeConfig, ParameterInfo
from hoisdf_ros.errors import ConfigError

INFOS: dict[str, ParameterInfo] = {
    field.name: field.metadata["info"] for field in fields(NodeConfig)
}
"""What is known of every parameter, by name."""


def declare(node: Node, on_change: Callable[[NodeConfig], None]) -> None:
    """Declare every field of `NodeConfig`, and check whatever is set from now on.

    Args:
        node: The node that gets the parameters.
        on_change: Called with the whole new configuration after a change at run time.

    Raises:
        InvalidParameterTypeException, InvalidParameterValueException: A value given at start
            (file, launch file or command line) cannot be used; rclpy names it and the reason.
    """

    def refuse_wrong(parameters: Iterable[Parameter]) -> SetParametersResult:
        values = {p.name: p.value for p in parameters if p.name in INFOS}
        try:
            _check_each(values)
            if _all_declared(node):
                _check_together(replace(read(node), **values))
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def tell(parameters: Iterable[Parameter]) -> None:
        if _all_declared(node) and any(p.name in INFOS for p in parameters):
            on_change(read(node))

    node.add_on_set_parameters_callback(refuse_wrong)
    node.add_post_set_parameters_callback(tell)
    defaults = asdict(NodeConfig())
    node.declare_parameters(
        "", [(name, default, descriptor(name)) for name, default in defaults.items()]
    )


def read(node: Node) -> NodeConfig:
    """The configuration as the node's parameters have it now."""
    return NodeConfig(**{name: node.get_parameter(name).value for name in INFOS})


def checked(config: NodeConfig) -> NodeConfig:
    """The same configuration, when every value and their combination can be used.

    Raises:
        ConfigError: Naming the parameter, its value and what was expected.
    """
    _check_each(asdict(config))
    _check_together(config)
    return config


def descriptor(name: str) -> ParameterDescriptor:
    """What ``ros2 param describe`` says about the parameter ``name``."""
    info = INFOS[name]
    result = ParameterDescriptor(
        name=name,
        description=info.description,
        additional_constraints=_choices_text(info),
        read_only=not info.live,
    )
    if info.low is not None and info.high is not None:
        if isinstance(getattr(NodeConfig(), name), int):
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


def _all_declared(node: Node) -> bool:
    return all(node.has_parameter(name) for name in INFOS)


def _check_each(values: dict[str, Any]) -> None:
    for name, value in values.items():
        info = INFOS[name]
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
