"""The borders between the rooms, and the size of what stands in them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hoisdf_ros"
SOURCES = sorted(PACKAGE.rglob("*.py"))
EVERYTHING = [
    ROOT / "setup.py",
    *SOURCES,
    *(path for folder in (".ci", "launch", "test") for path in (ROOT / folder).rglob("*.py")),
]
MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 80


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_import_contracts_hold() -> None:
    pytest.importorskip("importlinter")
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    run = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_only_ros_imports_the_messages(path: Path) -> None:
    """The import contracts cannot see `hoisdf_ros.msg`: it is built, not written."""
    imports = {
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    in_ros = path.is_relative_to(PACKAGE / "ros")
    assert in_ros or not any(name.startswith("hoisdf_ros.msg") for name in imports)


@pytest.mark.parametrize("name", ["msg", "srv", "action"])
def test_no_room_takes_the_name_of_generated_code(name: str) -> None:
    assert not (PACKAGE / name).exists()


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/**/__init__.py")), ids=relative)
def test_init_files_hold_a_docstring_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


@pytest.mark.parametrize("path", EVERYTHING, ids=relative)
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines, docstring and decorators included, of every function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            yield node.name, (node.end_lineno or first) - first + 1


@pytest.mark.parametrize("path", EVERYTHING, ids=relative)
def test_functions_stay_short(path: Path) -> None:
    assert [found for found in functions(path) if found[1] > MAX_FUNCTION_LINES] == []


def test_tests_mirror_the_package() -> None:
    """A folder of tests is named after a room, or looks at the whole."""
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    folders = {path.name for path in (ROOT / "test").iterdir() if any(path.glob("test_*.py"))}
    assert folders - rooms - {"architecture", "end_to_end", "golden"} == set()
