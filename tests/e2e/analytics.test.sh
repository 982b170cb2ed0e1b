#!/bin/bash
# Analytics and the request log against traffic at the simulator, end to end (analytics.py).
set -euo pipefail
exec python3 "$(dirname "$0")/analytics.py" "$1"
