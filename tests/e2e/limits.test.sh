#!/bin/bash
# Budgets, rates and concurrency of every level hold, and say so (limits.py).
set -euo pipefail
exec python3 "$(dirname "$0")/limits.py" "$1"
