#!/bin/bash
# The admin API as a black box: every resource in Terraform's order, and the traps of reference/admin-api.md. $1: build folder.
set -euo pipefail
exec python3 "$(dirname "$0")/admin_api.py" "$1"
