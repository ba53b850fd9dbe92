#!/usr/bin/env bash
# Installs the system packages that are missing, through apt, when run as root; otherwise says
# which they are and stops. Looks for the capability rather than the package, since names differ
# between releases and a capability may come from elsewhere.
# Usage: system_packages.sh PYTHON
set -euo pipefail

python=$1
missing=()

need() { # need PACKAGE COMMAND...: the package is missing when the command fails
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}

library() {
  { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -F "$1"
}

python_header() {
  "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))'
}

egl_driver() { # the demo camera renders off screen
  library libEGL_nvidia.so.0 || library libEGL_mesa.so.0
}

software_renderer() {
  library libEGL_nvidia.so.0 || compgen -G '/usr/lib/*/dri/swrast_dri.so' || library libgallium
}

version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
need "$version-venv" "$python" -c 'import ensurepip, venv'
need "$version-dev" python_header
need cmake command -v cmake
need g++ command -v g++
need make command -v make
need libgl1 library libGL.so.1 # OpenCV loads it, and GLib
need libglib2.0-0 library libgthread-2.0.so.0
need libegl1 library libEGL.so.1
need libegl-mesa0 egl_driver
need libgl1-mesa-dri software_renderer

[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "installing system packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi

cat >&2 <<TEXT
These system packages are missing: ${missing[*]}
Install them, then run the same command again:

    sudo apt-get update && sudo apt-get install ${missing[*]}

TEXT
exit 1
