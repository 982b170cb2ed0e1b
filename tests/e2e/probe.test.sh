#!/bin/bash
# A data plane tries credentials and asks a provider for its models. $1: build folder.
set -euo pipefail
exec "$(dirname "$0")/harness.py" "$1" -- python3 "$(dirname "$0")/probe.py"
