#!/bin/bash
# The official openai package for Python, unpatched, on every endpoint through the gateway (sdk_openai.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" sdk_openai.py
