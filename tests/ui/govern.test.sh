#!/bin/bash
# What an administrator does after the first day: keys, workspaces and members, configs, usage, data planes (govern.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_browser.sh" "$1" govern.mjs
