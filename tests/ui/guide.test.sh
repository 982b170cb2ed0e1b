#!/bin/bash
# The guide at /docs: without sign-in, accessible, links that lead somewhere, the product's own error codes (guide.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_browser.sh" "$1" guide.mjs
