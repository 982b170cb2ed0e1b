#!/bin/bash
# Four budgets of one integration, spent through the openai and portkey-ai packages: each stops at its own figure (sdk_story.py).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" sdk_story.py
