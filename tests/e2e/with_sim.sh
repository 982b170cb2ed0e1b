#!/bin/bash
# Runs one suite of another language beside the provider simulator alone: with_sim.sh BUILD FILE.mjs [SIMULATOR OPTION...]
# The suite finds it at $SLUICE_SIM. It runs from a copy beside node_modules, because a module is looked up from where a script lies.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd) file=$2
shift 2
tools=$("$here/setup.sh" "$build")
folder=$(mktemp -d "$tools/suite.XXXXXX")
trap 'kill "$sim" 2>/dev/null || true; rm -rf "$folder"' EXIT
cp "$here"/*.mjs "$folder/"
mkfifo "$folder/ready"
"$build/bin/sluice-sim" --port 0 "$@" >"$folder/ready" &
sim=$!
read -r ready <"$folder/ready"
url=$(sed -E 's/.*"url":"([^"]+)".*/\1/' <<<"$ready")
NODE_NO_WARNINGS=1 SLUICE_SIM=$url node --test-reporter=spec "$folder/$file"
