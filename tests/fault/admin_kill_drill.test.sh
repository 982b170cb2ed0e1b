#!/usr/bin/env bash
# A few kills of admin_kill_drill.py; tests/long.sh does 200. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/admin_kill_drill.py" --build "$1" --kills "${KILLS:-6}"
