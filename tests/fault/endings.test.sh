#!/usr/bin/env bash
# endings.py once. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/endings.py" --build "$1"
