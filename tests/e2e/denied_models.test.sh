#!/bin/bash
# A denied model stays denied: every spelling of it on every endpoint that takes a model; aliases, patterns, allowed_models (denied_models.py).
set -euo pipefail
exec python3 "$(dirname "$0")/denied_models.py" "$1"
