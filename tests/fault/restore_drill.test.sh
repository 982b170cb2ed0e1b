#!/usr/bin/env bash
# restore_drill.py with few requests; tests/long.sh has 10,000 and 50 changes. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/restore_drill.py" --build "$1"
