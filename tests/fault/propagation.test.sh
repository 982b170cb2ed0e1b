#!/usr/bin/env bash
# A few changes of propagation.py; tests/long.sh makes 1,000. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/propagation.py" --build "$1" --changes "${CHANGES:-24}"
