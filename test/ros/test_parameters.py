"""The parameters are the dataclass: names, defaults, descriptions, ranges and refusals."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rcl_interfaces.msg import ParameterType
from rclpy.context import Context
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node
from rclpy.parameter import Parameter

from hoisdf_ros.config import NodeConfig
from hoisdf_ros.errors import ConfigError, MeshError
from hoisdf_ros.parameter import parameter
from hoisdf_ros.ros.parameters import (
    INFOS,
    checked,
    declare,
    declare_fields,
    descriptor,
    read,
    yaml_text,
)

FILE = Path(__file__).parents[2] / "config" / "hoisdf.yaml"


def accept(config: NodeConfig) -> None:
    """Stands for a core that knows one object only."""
    if config.object_id not in {"", "cup"}:
        raise MeshError(f"object '{config.object_id}': expected cup")


@pytest.fixture
def make_node(context: Context) -> Callable[..., tuple[Node, list[NodeConfig]]]:
    """Builds a node with the parameters declared, and the list of its later configurations."""

    def make(**overrides: object) -> tuple[Node, list[NodeConfig]]:
        parameters = [Parameter(name, value=value) for name, value in overrides.items()]
        node = Node("parameters", context=context, parameter_overrides=parameters)
        changes: list[NodeConfig] = []
        declare(node, accept, changes.append)
        return node, changes

    return make


def test_the_file_is_the_dataclass() -> None:
    assert FILE.read_text() == yaml_text(), "run python -m hoisdf_ros.ros.parameters > " + str(FILE)
    (values,) = yaml.safe_load(yaml_text())["/**"].values()
    assert values == asdict(NodeConfig())
    assert {n: type(v) for n, v in values.items()} == {
        n: type(v) for n, v in asdict(NodeConfig()).items()
    }


def test_undisturbed_parameters_are_the_defaults(make_node: Callable[..., Any]) -> None:
    node, _ = make_node()
    assert read(node) == NodeConfig()


def test_every_parameter_is_described(make_node: Callable[..., Any]) -> None:
    node, _ = make_node()
    for name, found in zip(INFOS, node.describe_parameters(list(INFOS)), strict=True):
        assert found.description == INFOS[name].description
        assert found.read_only is not INFOS[name].live
        assert found.type != ParameterType.PARAMETER_NOT_SET


def test_ranges_and_choices_are_in_the_descriptor() -> None:
    (rates,) = descriptor("max_rate_hz").floating_point_range
    assert (rates.from_value, rates.to_value) == (0.0, 1000.0)
    (hands,) = descriptor("max_hands").integer_range
    assert (hands.from_value, hands.to_value) == (1, 8)
    assert "'compressed'" in descriptor("image_transport").additional_constraints
    assert not descriptor("weights").additional_constraints


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("preset", "huge", "preset: 'huge' is not one of"),
        ("max_rate_hz", 2000.0, "max_rate_hz: 2000.0 is not between 0 and 1000"),
        ("max_hands", 0, "max_hands: 0 is not between 1 and 8"),
        ("sync_slop_ms", float("nan"), "sync_slop_ms: nan is not a finite number"),
        ("lost_timeout_ms", 5, "lost_timeout_ms: 5 is a whole number.*: write 5.0$"),
        ("max_hands", 2.5, "max_hands: 2.5 is a number with.*expected a whole number$"),
        ("publish_tf", 1, r"expected a truth value \(true or false\)$"),
        ("weights", [1, 2], r"weights: \[1, 2\] is a list, expected text"),
        ("object_id", True, "object_id: true is a truth value.*\"object_id:='true'\"$"),
    ],
)
def test_what_cannot_be_used_at_start_is_refused_with_the_reason(
    make_node: Callable[..., Any], name: str, value: object, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        make_node(**{name: value})


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("objct_id", "did you mean 'object_id'?"),
        ("zzz", "there are weights, preset, "),
        ("qos_overrides./image.subscription.depth", ""),
        ("use_sim_time", ""),
    ],
)
def test_a_name_that_nobody_declares_is_warned_of(
    make_node: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, advice: str
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(RcutilsLogger, "warning", lambda _, text: warnings.append(text))
    node, _ = make_node(**{name: False})
    assert read(node) == NodeConfig()
    assert [advice in text and f"'{name}'" in text for text in warnings] == [True] * bool(advice)


def test_any_dataclass_of_parameters_can_be_declared(context: Context) -> None:
    @dataclass(frozen=True)
    class Lamp:
        watts: int = parameter(5, "power", low=0, high=60)
        colour: str = parameter("white", "of the light", choices=("white", "red"))

    red = Parameter("colour", value="red")
    node = Node("lamp", context=context, parameter_overrides=[red])
    assert declare_fields(node, Lamp) == Lamp(5, "red")
    assert node.describe_parameter("watts").integer_range[0].to_value == 60
    (refused,) = node.set_parameters([Parameter("watts", value=7)])
    assert "read-only" in refused.reason


def test_limits_that_only_fit_together_may_be_given_at_start(make_node: Callable[..., Any]) -> None:
    node, _ = make_node(min_depth_m=5.0, max_depth_m=6.0)
    assert (read(node).min_depth_m, read(node).max_depth_m) == (5.0, 6.0)


def test_a_change_at_run_time_reaches_the_node(make_node: Callable[..., Any]) -> None:
    node, changes = make_node()
    (result,) = node.set_parameters([Parameter("max_rate_hz", value=10.0)])
    assert result.successful
    assert changes == [replace(NodeConfig(), max_rate_hz=10.0)]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("weights", "other.pth", "read-only"),
        ("side", "both", "side: 'both' is not one of"),
        ("score_threshold", 1.5, "score_threshold"),
        ("score_threshold", float("nan"), "score_threshold"),
        ("min_depth_m", 4.5, "not below max_depth_m"),
        ("object_id", "cap", "object 'cap': expected cup"),
    ],
)
def test_a_change_that_cannot_be_used_is_refused_and_changes_nothing(
    make_node: Callable[..., Any], name: str, value: object, reason: str
) -> None:
    node, changes = make_node()
    (result,) = node.set_parameters([Parameter(name, value=value)])
    assert not result.successful
    assert reason in result.reason
    assert changes == []
    assert read(node) == NodeConfig()


def test_other_parameters_are_none_of_our_business(make_node: Callable[..., Any]) -> None:
    node, changes = make_node()
    (result,) = node.set_parameters([Parameter("use_sim_time", value=True)])
    assert result.successful
    assert changes == []


def test_a_configuration_is_checked_as_a_whole() -> None:
    assert checked(NodeConfig()) == NodeConfig()
    with pytest.raises(ConfigError, match=r"min_depth_m 4\.0 is not below max_depth_m 4\.0"):
        checked(replace(NodeConfig(), min_depth_m=4.0))


def test_a_number_must_be_finite() -> None:
    with pytest.raises(ConfigError, match="max_rate_hz: nan is not a finite number"):
        checked(replace(NodeConfig(), max_rate_hz=float("nan")))
