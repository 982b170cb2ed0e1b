#!/bin/bash
# The official @anthropic-ai/sdk through /v1/messages, translated and spliced (dialect_anthropic.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" dialect_anthropic.mjs
