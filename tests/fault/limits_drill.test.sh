#!/usr/bin/env bash
# A few rounds of limits_drill.py. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/limits_drill.py" --build "$1" --rounds "${ROUNDS:-6}"
