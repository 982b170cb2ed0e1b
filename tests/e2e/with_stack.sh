#!/bin/bash
# Runs one suite of another language beside a stack: with_stack.sh BUILD FILE [HARNESS OPTION...]
# FILE.mjs runs under node, FILE.py under the virtual environment, both with what setup.sh installs (clients_*: those of clients/). A module is looked up from where a
# script lies, so JavaScript suites run from a copy beside node_modules.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 file=$2
shift 2
folder=$here
[[ $file == clients_* ]] && folder=$here/clients
tools=$("$here/setup.sh" "$build" "$folder")
if [[ $file == *.mjs ]]; then
    folder=$(mktemp -d "$tools/suite.XXXXXX")
    trap 'rm -rf "$folder"' EXIT
    cp "$here"/*.mjs "$folder/"
    "$here/harness.py" "$build" "$@" -- env SLUICE_TOOLS="$tools" node --test-reporter=spec "$folder/$file"
else
    SLUICE_TOOLS=$tools PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 "$here/harness.py" "$build" "$@" -- "$tools/venv/bin/python" "$here/$file"
fi
