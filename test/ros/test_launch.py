"""Launch files and RViz configuration: what they promise, and that they load where launch is."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = {path.name: path for path in (ROOT / "launch").glob("*.py")}


def load(name: str) -> Any:  # noqa: ANN401
    spec = importlib.util.spec_from_file_location(name.partition(".")[0], FILES[name])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def arguments(name: str) -> set[str]:
    """The keys of the file's ARGUMENTS, without running it."""
    for statement in ast.parse(FILES[name].read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "ARGUMENTS":
            assert isinstance(statement.value, ast.Dict)
            return {ast.literal_eval(key) for key in statement.value.keys if key is not None}
    return set()


def test_all_three_are_there() -> None:
    assert set(FILES) == {"hoisdf.launch.py", "demo.launch.py", "realsense.launch.py"}


def test_the_node_s_launch_file_has_the_promised_arguments() -> None:
    promised = {"namespace", "params_file", "image_topic", "camera_info_topic", "depth_topic"}
    promised |= {"weights", "object_id", "rviz", "use_sim_time", "autostart", "detections_topic"}
    assert promised <= arguments("hoisdf.launch.py")


@pytest.mark.parametrize("name", sorted(FILES))
def test_launch_files_start_things_and_install_nothing(name: str) -> None:
    tree = ast.parse(FILES[name].read_text())
    imported = {
        node.module.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert imported <= {"launch", "launch_ros"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]


def test_rviz_shows_topics_that_are_published_with_a_matching_reliability() -> None:
    manager = yaml.safe_load((ROOT / "config" / "hoisdf.rviz").read_text())["Visualization Manager"]
    shown = {
        display["Topic"]["Value"]: display["Topic"]["Reliability Policy"]
        for display in manager["Displays"]
        if "Topic" in display
    }
    assert shown == {"/hoisdf/markers": "Reliable", "/hoisdf/debug_image": "Best Effort"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_they_load_and_declare_what_they_use(name: str) -> None:
    pytest.importorskip("launch_ros")
    description = load(name).generate_launch_description()
    declared = {argument.name for argument in description.get_launch_arguments()}
    assert arguments(name) <= declared


def test_only_parameters_that_were_given_override_the_file() -> None:
    launch = pytest.importorskip("launch")
    pytest.importorskip("launch_ros")
    module = load("hoisdf.launch.py")
    context = launch.LaunchContext()
    for name, (default, _) in module.ARGUMENTS.items():
        context.launch_configurations[name] = default if isinstance(default, str) else "x.yaml"
    context.launch_configurations["weights"] = "w.pth"
    (node,) = module.node(context)
    given = node._Node__parameters[-1]
    names = {"".join(part.text for part in key) for key in given}
    assert names == {"weights", "use_sim_time"}
