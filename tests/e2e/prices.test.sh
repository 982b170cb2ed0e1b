#!/bin/bash
# What an attempt costs and what its team is charged, end to end (prices.py).
set -euo pipefail
exec python3 "$(dirname "$0")/prices.py" "$1"
