#!/bin/bash
# Bytes through the gateway: events as they are made, clients that leave or dawdle, large and odd bodies, pipelines (streaming.py).
set -euo pipefail
exec python3 "$(dirname "$0")/streaming.py" "$1"
