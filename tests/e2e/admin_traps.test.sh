#!/bin/bash
# The wire rules of reference/admin-api.md sections 0 and 7, one by one, in the order Terraform calls. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/admin_traps.py" "$1"
