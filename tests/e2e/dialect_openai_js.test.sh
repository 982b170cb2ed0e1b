#!/bin/bash
# The official openai package for JavaScript at a provider of Anthropic's dialect (dialect_openai.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" dialect_openai.mjs
