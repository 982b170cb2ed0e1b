#!/bin/bash
# The official openai package for Python at a provider of Anthropic's dialect, Responses API included (dialect_openai.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" dialect_openai.py
