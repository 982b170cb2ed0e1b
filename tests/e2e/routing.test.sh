#!/bin/bash
# Routing documents: retry, fallback, loadbalance, conditional; whole answers and streams; every attempt accounted for.
set -euo pipefail
exec python3 "$(dirname "$0")/routing.py" "$1"
