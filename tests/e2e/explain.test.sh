#!/bin/bash
# /v1/explain says what a call then does: verdict, target, list, limits, price; and leaves no trace.
set -euo pipefail
exec python3 "$(dirname "$0")/explain.py" "$1"
