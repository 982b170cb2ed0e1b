#!/usr/bin/env bash
# master_gone.py once. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/master_gone.py" --build "$1"
