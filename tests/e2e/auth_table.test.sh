#!/bin/bash
# Who may call, by which header, naming the provider how: status and what reached the provider, as one table (auth_table.py).
set -euo pipefail
exec python3 "$(dirname "$0")/auth_table.py" "$1"
