#!/usr/bin/env bash
# control_away.py for a few seconds; tests/long.sh for ten minutes. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/control_away.py" --build "$1"
