#!/usr/bin/env bash
# A few rounds of kill_drill.py; tests/long.sh does 200. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/kill_drill.py" --build "$1" --rounds "${ROUNDS:-9}"
