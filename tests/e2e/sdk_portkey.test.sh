#!/bin/bash
# The portkey-ai package for JavaScript, unpatched: model calls in every way it can name a provider, and its admin methods (sdk_portkey.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_stack.sh" "$1" sdk_portkey.mjs
