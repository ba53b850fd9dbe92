"""The package's three descriptions (setup.py, package.xml, CMakeLists.txt) say the same."""

import ast
import re
import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import setuptools

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hoisdf_ros"
ROS_PACKAGES = re.compile(
    r"(ament_index_python|builtin_interfaces|cv_bridge|launch|launch_ros|message_filters|"
    r"rclpy|tf2_ros|\w+_(interfaces|msgs|srvs))$"
)


@pytest.fixture
def setup_arguments(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py tells setuptools."""
    arguments: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", arguments.update)
    monkeypatch.chdir(ROOT)
    runpy.run_path("setup.py")
    return arguments


def manifest() -> ET.Element:
    return ET.parse(ROOT / "package.xml").getroot()


def test_versions_agree(setup_arguments: dict[str, Any]) -> None:
    version = manifest().findtext("version")
    released = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert setup_arguments["version"] == version
    assert released is not None
    assert released[1] == version


def test_names_and_licences_agree(setup_arguments: dict[str, Any]) -> None:
    assert setup_arguments["name"] == manifest().findtext("name") == PACKAGE.name
    assert setup_arguments["license"] == manifest().findtext("license") == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_every_folder_of_modules_is_installed_by_pip(setup_arguments: dict[str, Any]) -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    expected = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(setup_arguments["packages"]) == expected


def test_the_command_exists(setup_arguments: dict[str, Any]) -> None:
    [command] = setup_arguments["entry_points"]["console_scripts"]
    name, module, function = re.fullmatch(r"(\w+) = ([\w.]+):(\w+)", command).groups()  # type: ignore[union-attr]
    tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
    assert name == "hoisdf"
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def pins(name: str) -> dict[str, str]:
    """Package and version of every line of a requirements file."""
    text = (ROOT / ".ci" / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w-]+)==([\w.]+)(?: ;.*)?$", text, re.MULTILINE))


def test_pins_agree(setup_arguments: dict[str, Any]) -> None:
    core = pins("core")
    assert {re.split(r"[<>=]", name)[0] for name in setup_arguments["install_requires"]} <= set(
        core
    )
    assert pins("beside_ros").items() <= core.items()
    assert not set(pins("dev")) & set(core)
    assert not set(pins("ros")) & (set(core) | set(pins("dev")))
    assert set(setup_arguments["extras_require"]["portable"]) <= set(pins("tensorrt"))
    assert not set(pins("tensorrt")) & (set(core) | set(pins("dev")) | set(pins("ros")))
    assert pins("tensorrt")["torch-tensorrt-rtx"] == core["torch"]


def test_every_message_is_generated() -> None:
    listed = re.findall(r'"msg/(\w+)\.msg"', (ROOT / "CMakeLists.txt").read_text())
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "msg").glob("*.msg"))


def test_launchers_start_modules_that_can_be_run() -> None:
    modules = re.findall(r"install_launcher\(\w+ ([\w.]+)\)", (ROOT / "CMakeLists.txt").read_text())
    assert modules
    for module in modules:
        assert "sys.exit(main())" in (ROOT / (module.replace(".", "/") + ".py")).read_text(), module


def imported_packages(path: Path) -> set[str]:
    """Top-level packages that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_package_xml_names_every_ros_package_that_is_imported() -> None:
    files = [*(PACKAGE / "ros").glob("*.py"), *(ROOT / "launch").glob("*.py")]
    used = {name for path in files for name in imported_packages(path) if ROS_PACKAGES.match(name)}
    declared = {tag.text for tag in manifest() if tag.tag in {"depend", "exec_depend"}}
    assert used - declared == set()
    assert "rclpy" in used
