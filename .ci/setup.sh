#!/usr/bin/env bash
# Makes everything that the package needs to run and be tested from this folder: the virtual
# environment .venv, the ROS messages in .venv/ws, the command .venv/bin/hoisdf, the environment
# file .env.sh; and fetches the hand detector's weights into .venv. A step is skipped when nothing
# that it depends on has changed.
#
# Reads PYTHON (the interpreter to use), CUDA=1 (the CUDA build of torch) and PIP_ARGS (more
# options for pip, for example another index).
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
ci=$root/.ci
venv=$root/.venv
ws=$venv/ws
stamps=$venv/stamps
cd "$root"

say() { printf '[setup] %s\n' "$*"; }

die() {
  printf '[setup] %s\n' "$*" >&2
  exit 1
}

unchanged() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }

done_with() {
  mkdir -p "$stamps"
  printf '%s\n' "$2" >"$stamps/$1"
}

# Prints version and path of the interpreter behind $1, when it is one that the wheels are for.
python_behind() {
  "$1" - 2>/dev/null <<'PY'
import platform, sys
version = sys.version_info[:2]
if platform.python_implementation() == "CPython" and (3, 10) <= version <= (3, 13):
    print("%d.%d" % version, getattr(sys, "_base_executable", sys.executable))
PY
}

find_python() {
  local candidate found
  for candidate in ${PYTHON:-"$venv/bin/python" python3 python3.12 python3.11 python3.13 python3.10}; do
    found=$(python_behind "$candidate") && [ -n "$found" ] && echo "$found" && return
  done
  [ -z "${PYTHON:-}" ] ||
    die "PYTHON=$PYTHON is no working CPython 3.10 to 3.13: name another, as in make PYTHON=python3.11"
  die "no CPython 3.10 to 3.13 found: apt-get install python3, or name one, as in make PYTHON=/path/to/python3.11"
}

# Prints where ROS 2 comes from: the wheels, or the installation that is sourced, by its name.
find_ros() {
  if [ "${HOISDF_ROS:-}" = wheels ] || [ -z "${ROS_DISTRO:-}" ]; then # .env.sh names its own
    echo wheels
    return
  fi
  case $ROS_DISTRO in
    foxy | galactic | humble | iron)
      die "ROS 2 $ROS_DISTRO is sourced, Jazzy or newer is needed: start again in a shell without it" ;;
  esac
  "$python" -c 'import rclpy' 2>/dev/null ||
    die "ROS 2 $ROS_DISTRO is sourced but $python cannot import rclpy: name the Python it is made for, as in make PYTHON=/usr/bin/python3, or start again in a shell without it"
  command -v colcon >/dev/null ||
    die "colcon is missing: apt-get install python3-colcon-common-extensions"
  echo "$ROS_DISTRO"
}

make_venv() {
  local want="$version $ros" options=()
  unchanged venv "$want" && [ -x "$venv/bin/python" ] && return
  say "making .venv: Python $version, ROS from $ros"
  [ "$ros" = wheels ] || options=(--system-site-packages)
  "$python" -m venv --clear "${options[@]}" "$venv"
  done_with venv "$want"
}

install_wheels() {
  local files=("$ci/requirements/dev.txt") options=() want
  if [ "$ros" = wheels ]; then
    files+=("$ci/requirements/core.txt" "$ci/requirements/ros.txt")
  else
    files+=("$ci/requirements/beside_ros.txt")
    "$venv/bin/python" -c 'import numpy; print("numpy==" + numpy.__version__)' >"$stamps/numpy"
    options+=("--constraint=$stamps/numpy")
  fi
  [ "${CUDA:-0}" != 1 ] || files+=("$ci/requirements/cuda.txt")
  options+=("${files[@]/#/--requirement=}")
  want="${files[*]##*/} $(cat "${files[@]}" "$ci/patch_ros_wheels.py" | sha256sum)"
  unchanged wheels "$want" && return
  say "installing the Python packages (minutes the first time; torch is the largest)"
  # shellcheck disable=SC2086  # PIP_ARGS is a list of options
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --use-pep517 \
    ${PIP_ARGS:-} "${options[@]}"
  [ "$ros" != wheels ] || "$venv/bin/python" "$ci/patch_ros_wheels.py"
  done_with wheels "$want"
}

# Without these nothing is compiled for GPUs; all else works.
install_tensorrt() {
  local file=$ci/requirements/tensorrt.txt want
  want="$(cat "$stamps/wheels") $(sha256sum <"$file")"
  [ "$(uname -m)" = x86_64 ] || return 0
  unchanged tensorrt "$want" && return
  say "installing TensorRT-RTX (100 MB)"
  # shellcheck disable=SC2086  # PIP_ARGS is a list of options
  if "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --use-pep517 --no-deps \
    ${PIP_ARGS:-} --requirement="$file"; then
    done_with tensorrt "$want"
  else
    say "going on without TensorRT-RTX: its tests are skipped"
  fi
}

# With the wheels nothing needs to be sourced before building; these are their settings.
enter_wheels() {
  local libraries
  libraries=$(printf ':%s' "$venv"/lib/python3.*/site-packages/ros_*.libs)
  export VIRTUAL_ENV=$venv PATH="$venv/bin:$PATH"
  export AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv
  export LD_LIBRARY_PATH="$venv/lib$libraries" _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
}

on_prefix_path() { # is package $1 in one of the sourced prefixes?
  local prefix prefixes
  IFS=: read -r -a prefixes <<<"$AMENT_PREFIX_PATH"
  for prefix in "${prefixes[@]}"; do
    [ ! -f "$prefix/share/$1/package.xml" ] || return 0
  done
  return 1
}

# A workspace of links in .venv: CMake refuses to export a package whose include folders, which are
# in .venv, lie below its own source folder.
link_workspace() {
  local package name
  rm -rf "$ws/src"
  mkdir -p "$ws/src/hoisdf_ros"
  for name in CMakeLists.txt package.xml config hoisdf_ros launch msg; do
    ln -s "$root/$name" "$ws/src/hoisdf_ros/$name"
  done
  for package; do
    ln -s "$root/underlay/$package" "$ws/src/$package"
  done
}

build_messages() (
  [ "$ros" != wheels ] || enter_wheels
  packages=()
  for package in underlay/*; do
    on_prefix_path "${package#underlay/}" || packages+=("${package#underlay/}")
  done
  # Files are linked, not copied: a change inside one needs no new build, a new file does.
  want="${packages[*]} $({
    cat "$stamps/wheels" "$ci/setup.sh" CMakeLists.txt package.xml msg/*
    find underlay -type f -exec cat {} +
    find config hoisdf_ros launch -type f ! -name '*.pyc' | sort
  } | sha256sum)"
  unchanged messages "$want" && return
  say "building the ROS messages: hoisdf_ros ${packages[*]}"
  link_workspace "${packages[@]}"
  cd "$ws"
  export COLCON_HOME=$ws/colcon MAKEFLAGS="-j$(nproc)"
  colcon build --base-paths src --symlink-install \
    --cmake-args -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
    "-DPython3_EXECUTABLE=$venv/bin/python" >build.txt 2>&1 || {
    tail -n 40 build.txt >&2
    die "the ROS messages did not build; all of the output is in $ws/build.txt"
  }
  done_with messages "$want"
)

# Without these weights the node needs hand boxes from outside; all else works.
fetch_detector() {
  [ ! -f "$venv/share/hoisdf_ros/detector/hand_landmarker.task" ] || return 0
  say "fetching the hand detector's weights (6 MB)"
  # shellcheck disable=SC2086  # PIP_ARGS is a list of options
  "$venv/bin/hoisdf" detector fetch -- ${PIP_ARGS:-} >/dev/null ||
    say "going on without them; the line above says what can be done"
}

exec 9<"$ci/setup.sh" # one at a time
flock 9
found=$(find_python)
version=${found%% *} python=${found#* }
ros=$(find_ros)
[ "$ros" != wheels ] || unset PYTHONPATH # .env.sh may have been sourced for another Python
"$ci/system_packages.sh" "$python"
make_venv
install_wheels
install_tensorrt
build_messages
"$ci/write_env.sh" "$ros"
fetch_detector
