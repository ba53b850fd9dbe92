#!/usr/bin/env bash
# Every check, each to its end, the complete test suite last. Arguments go to that last pytest.
# Exits with the first failure's status.
set -uo pipefail

cd "$(dirname "$0")/.."
. ./.env.sh
export ROS_DOMAIN_ID="${ROS_DOMAIN_ID:-$((1 + RANDOM % 100))}"
status=0

check() {
  "$@"
  local code=$?
  if [ "$code" -ne 0 ]; then
    printf '\n[check] failed: %s\n\n' "$*" >&2
    [ "$status" -ne 0 ] || status=$code
  fi
}

check ruff check
check ruff format --check --quiet
check mypy
check lint-imports --no-logo
# Without this switch rclpy does not check field types: a wrong one publishes garbage. What passes
# with it must pass without it too, so the tests with ROS run again in the suite below.
check env ROS_PYTHON_CHECK_FIELDS=1 pytest -q test/ros test/end_to_end
check pytest "$@"
exit "$status"
