#!/usr/bin/env bash
# Writes .env.sh, the environment file, and .venv/bin/hoisdf, the command that needs none.
# Usage: write_env.sh (wheels | NAME OF THE SOURCED ROS DISTRIBUTION)
set -euo pipefail

ros=$1
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
install=$venv/ws/install

joined() { # joined PATH...: those that exist, with colons between
  local path list=
  for path; do
    [ ! -e "$path" ] || list=$list:${path%/}
  done
  echo "${list#:}"
}

quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; } # for sh, whatever the path

site=("$venv"/lib/python3.*/site-packages)
modules=$(joined "$install"/*/lib/python3*/site-packages "$install"/*/local/lib/python3*/dist-packages)

header() {
  cat <<TEXT
# Written by \`make setup\`; sets this folder's environment up for sh and bash:  . ./.env.sh
hoisdf_first() { # hoisdf_first NAME PATHS: puts PATHS in front of the variable, once
  eval "hoisdf_old=\\\${\$1:-}"
  case ":\$hoisdf_old:" in
    *":\$2:"*) ;;
    *) eval "export \$1=\\"\\\$2\\\${hoisdf_old:+:\\\$hoisdf_old}\\"" ;;
  esac
}
TEXT
}

from_wheels() {
  cat <<TEXT
export ROS_DISTRO=jazzy HOISDF_ROS=wheels
export RMW_IMPLEMENTATION="\${RMW_IMPLEMENTATION:-rmw_fastrtps_cpp}"
# The wheels find their libraries by starting Python again; with these two they need not.
hoisdf_first LD_LIBRARY_PATH $(quoted "$(joined "$install"/*/lib "$venv/lib" "${site[0]}"/ros_*.libs)")
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
hoisdf_first AMENT_PREFIX_PATH $(quoted "$(joined "$install"/*/ "$venv")")
hoisdf_first CMAKE_PREFIX_PATH $(quoted "$(joined "$install"/*/ "$venv")")
hoisdf_first PYTHONPATH $(quoted "$modules")
TEXT
}

from_installation() { # colcon's file brings the ROS installation with it; it knows no set -u
  cat <<TEXT
case \$- in *u*) hoisdf_unset=-u ;; *) hoisdf_unset=+u ;; esac
set +u
. $(quoted "$install/setup.sh")
set "\$hoisdf_unset"
unset hoisdf_unset
TEXT
}

footer() {
  cat <<TEXT
export VIRTUAL_ENV=$(quoted "$venv")
hoisdf_first PATH $(quoted "$venv/bin")
unset hoisdf_old
unset -f hoisdf_first
# Talk to this machine only, and through a shared memory that has room for camera images.
export ROS_AUTOMATIC_DISCOVERY_RANGE="\${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
hoisdf_profile=$(quoted "$root/config/fastdds_shm.xml")
export FASTRTPS_DEFAULT_PROFILES_FILE="\${FASTRTPS_DEFAULT_PROFILES_FILE:-\$hoisdf_profile}"
export FASTDDS_DEFAULT_PROFILES_FILE="\${FASTDDS_DEFAULT_PROFILES_FILE:-\$hoisdf_profile}"
unset hoisdf_profile
# ROS logs go to the home folder; this is for shells that know of none.
[ -n "\${HOME:-}" ] || export ROS_LOG_DIR=$(quoted "$venv/log")
# Idle torch threads sleep instead of taking the cores from the camera.
export OMP_WAIT_POLICY="\${OMP_WAIT_POLICY:-PASSIVE}"
TEXT
}

replace() { # replace FILE: from standard input, in one step, since others may be reading it
  cat >"$1.new"
  mv "$1.new" "$1"
}

{
  header
  if [ "$ros" = wheels ]; then from_wheels; else from_installation; fi
  footer
} | replace "$root/.env.sh"

echo "$root" | replace "${site[0]}/hoisdf_ros_source.pth"

mkdir -p "$venv/libexec"
replace "$venv/libexec/hoisdf" <<TEXT
import sys

from hoisdf_ros.cli.main import main

if __name__ == "__main__":  # worker processes import this file once more
    sys.exit(main())
TEXT
replace "$venv/bin/hoisdf" <<TEXT
#!/bin/sh
. $(quoted "$root/.env.sh")
exec $(quoted "$venv/bin/python") $(quoted "$venv/libexec/hoisdf") "\$@"
TEXT
chmod +x "$venv/bin/hoisdf"
