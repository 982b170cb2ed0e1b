#!/bin/bash
# Where two dialects meet: faults, figures, custom models, rows (dialect_edges.py).
set -euo pipefail
exec python3 "$(dirname "$0")/dialect_edges.py" "$1"
