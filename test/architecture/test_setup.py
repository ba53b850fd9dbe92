"""What `make setup` leaves behind works from any shell."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
made_by_make = pytest.mark.skipif(
    not (ROOT / ".env.sh").exists(), reason="there is no .env.sh: run `make setup`"
)


@pytest.fixture(scope="module")
def patch_ros_wheels() -> ModuleType:
    spec = importlib.util.spec_from_file_location("patch", ROOT / ".ci" / "patch_ros_wheels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("minor", range(10, 14))
def test_wheels_of_any_python_are_pointed_at_this_one(
    patch_ros_wheels: ModuleType, minor: int
) -> None:
    builder = f"/opt/python/cp3{minor}-cp3{minor}"
    before = (
        f'"{builder}/include/python3.{minor};{builder}/lib/python3.{minor}'
        '/site-packages/numpy/_core/include;${_IMPORT_PREFIX}/include/std_msgs"'
    )
    after = patch_ros_wheels.patched(before, "/usr/include/python3", r"C:\g<0>")
    assert after == r'"/usr/include/python3;C:\g<0>;${_IMPORT_PREFIX}/include/std_msgs"'
    assert patch_ros_wheels.patched(after, "/usr/include/python3", r"C:\g<0>") == after


def in_empty_environment(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=cwd, env=path, capture_output=True, text=True, check=False, timeout=120
    )


@made_by_make
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_environment_file_can_be_sourced_twice_from_a_strict_shell(
    shell: str, tmp_path: Path
) -> None:
    once, twice = (f". '{ROOT}/.env.sh'; " * count + "env" for count in (1, 2))
    first = in_empty_environment(shell, "-euc", once, cwd=tmp_path)
    second = in_empty_environment(shell, "-euc", twice, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert sorted(second.stdout.split()) == sorted(first.stdout.split())
    variables = dict(line.split("=", 1) for line in first.stdout.splitlines())
    assert Path(variables["FASTRTPS_DEFAULT_PROFILES_FILE"]).is_file()
    assert variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert variables["OMP_WAIT_POLICY"] == "PASSIVE"


@made_by_make
def test_environment_file_keeps_what_the_user_chose(tmp_path: Path) -> None:
    command = f"export ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET; . '{ROOT}/.env.sh'; env"
    run = in_empty_environment("sh", "-euc", command, cwd=tmp_path)
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET" in run.stdout.split()


@made_by_make
def test_messages_and_sources_are_one_package(tmp_path: Path) -> None:
    command = (
        f". '{ROOT}/.env.sh'; python -c 'from hoisdf_ros.msg import HandPose; "
        "from hoisdf_ros import conventions; print(HandPose.PINKY_TIP)'"
    )
    run = in_empty_environment("sh", "-euc", command, cwd=tmp_path)
    assert run.stdout == "20\n", run.stderr


@made_by_make
def test_the_command_needs_no_environment(tmp_path: Path) -> None:
    run = in_empty_environment(str(ROOT / ".venv/bin/hoisdf"), "--help", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "usage: hoisdf" in run.stdout


@made_by_make
def test_the_command_does_nothing_when_a_worker_process_imports_it(tmp_path: Path) -> None:
    launcher = str(ROOT / ".venv/libexec/hoisdf")
    code = f"import runpy; runpy.run_path({launcher!r}, run_name='__mp_main__')"
    python = str(ROOT / ".venv/bin/python")
    run = in_empty_environment(
        "sh", "-euc", f". '{ROOT}/.env.sh'; {python} -c \"$1\"", "sh", code, cwd=tmp_path
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_core_imports_without_ros(tmp_path: Path) -> None:
    """With ROS hidden every room but ros still imports; make_* need what only they use."""
    modules = [path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("hoisdf_ros/**/*.py")]
    core = [
        ".".join(module.parts)
        for module in modules
        if module.name != "__init__"
        and module.parts[1] != "ros"
        and not any(part.startswith("make_") for part in module.parts)
    ]
    hide = "import sys; sys.modules.update(dict.fromkeys(['rclpy', 'std_msgs', 'hoisdf_ros.msg']))"
    run = subprocess.run(
        [sys.executable, "-c", f"{hide}; import {', '.join(sorted(core))}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
