#!/bin/bash
# The provider simulator keeps its promises: content, usage, faults, truth log, TLS, many connections (sim.test.py).
set -euo pipefail
exec python3 "$(dirname "$0")/sim.test.py" "$1/bin/sluice-sim"
