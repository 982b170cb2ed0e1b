#!/bin/bash
# The Vercel AI SDK from npm, unpatched, through the gateway (clients_ai_sdk.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" clients_ai_sdk.mjs
