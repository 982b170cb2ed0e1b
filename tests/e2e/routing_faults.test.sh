#!/bin/bash
# Every fault of a first target, streamed and not: what the caller gets, how often was tried, what the ledger holds of each attempt.
set -euo pipefail
exec python3 "$(dirname "$0")/routing_faults.py" "$1"
