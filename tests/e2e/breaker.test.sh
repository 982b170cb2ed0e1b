#!/bin/bash
# Targets that keep failing are passed over, by all workers of a host, until they recover.
set -euo pipefail
exec python3 "$(dirname "$0")/breaker.py" "$1"
