#!/bin/bash
# Every snippet of the model pages, copied out of the browser and run as it is (snippets.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_browser.sh" "$1" snippets.mjs
