#!/bin/bash
# The official openai package's Responses API at a provider that does not have it (dialect_responses.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" dialect_responses.mjs
