#!/bin/bash
# The OpenAI Agents SDK from PyPI, unpatched, through the gateway (clients_agents.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" clients_agents.py
