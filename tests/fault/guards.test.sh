#!/usr/bin/env bash
# Each guard of the money is switched off in a test binary, and the tests that it is for must fail (guards.py). $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/guards.py" "$1"
