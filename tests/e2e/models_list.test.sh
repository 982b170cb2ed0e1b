#!/bin/bash
# GET /v1/models at both planes: the same rows, filters, search and order. $1: build folder.
set -euo pipefail
exec "$(dirname "$0")/harness.py" "$1" -- python3 "$(dirname "$0")/models_list.py"
