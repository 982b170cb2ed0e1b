#!/bin/bash
# People: signing in by password, another tab, an invite, what a member is offered, a new password, signing out (people.mjs).
set -euo pipefail
exec "$(dirname "$0")/with_browser.sh" "$1" people.mjs
