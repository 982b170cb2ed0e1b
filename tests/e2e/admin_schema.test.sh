#!/bin/bash
# The admin API against its own description: schemathesis over GET /openapi.json. $1: build folder.
set -euo pipefail
here=$(dirname "$0")
tools=$("$here/setup.sh" "$1")
exec "$tools/venv/bin/python" "$here/admin_schema.py" "$1"
