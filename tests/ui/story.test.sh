#!/bin/bash
# The story: an administrator connects a provider and gives it to a workspace; a developer finds a model and calls it (story.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_browser.sh" "$1" story.mjs
