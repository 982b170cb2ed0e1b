#!/usr/bin/env bash
# canary.py once; tests/long.sh repeats it. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/canary.py" --build "$1"
