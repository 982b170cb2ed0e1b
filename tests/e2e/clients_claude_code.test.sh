#!/bin/bash
# Claude Code from npm, unpatched, through the gateway (clients_claude_code.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" clients_claude_code.py
