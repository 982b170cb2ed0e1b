#!/usr/bin/env bash
# signals.py. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/signals.py" "$1"
