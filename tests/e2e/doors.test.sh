#!/bin/bash
# Every operation under a denied model, an empty budget, and a key that is revoked meanwhile: refused or cut, never unmetered (doors.py).
set -euo pipefail
exec python3 "$(dirname "$0")/doors.py" "$1"
