#!/bin/bash
# Every page of the console in both themes and on a phone: accessibility, page policy, weight, states (pages.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_browser.sh" "$1" pages.mjs
