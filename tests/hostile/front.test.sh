#!/usr/bin/env bash
# The worker's front under honest, slow, hostile and leaving clients. $1 is the build folder; FULL=1 runs the sizes of
# reliability.md S4 and R16, else they are scaled down.
set -euo pipefail
exec python3 -W ignore "$(dirname "$0")/front_test.py" "$1/tests/front_app"
