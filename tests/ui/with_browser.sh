#!/bin/bash
# Builds the console, starts a stack that serves it, and runs one suite in a browser: with_browser.sh BUILD FILE.mjs [HARNESS OPTION...]
# A module is looked up from where a script lies, so suites run from a copy beside node_modules.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$1 file=$2
shift 2
"$root/admin-ui/build.sh" >/dev/null
tools=$("$here/../e2e/setup.sh" "$build" "$here")
folder=$(mktemp -d "$tools/suite.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cp "$here"/*.mjs "$here/../e2e/suite.mjs" "$folder/"
UI_TOOLS=$tools UI_SOURCE=$root "$here/../e2e/harness.py" "$build" "$@" -- node --test-reporter=spec "$folder/$file"
