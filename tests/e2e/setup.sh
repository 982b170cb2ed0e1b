#!/bin/bash
# Installs what the suites of a folder need from PyPI and npm into BUILD/<its name>, once per content of its requirements.txt and
# package-lock.json, and prints that folder: it holds venv/ and node_modules/. Usage: tools=$(tests/e2e/setup.sh BUILD [FOLDER]), FOLDER
# being this one unless given. Safe to call from several tests at once.
set -euo pipefail
here=$(cd "${2:-$(dirname "$0")}" && pwd)
mkdir -p "$1/$(basename "$here")"
tools=$(cd "$1/$(basename "$here")" && pwd)
exec 9>"$tools/lock"
flock 9
stamp=$(cat "$here/requirements.txt" "$here/package.json" "$here/package-lock.json" | sha256sum)
if [[ $(cat "$tools/stamp" 2>/dev/null) != "$stamp" ]]; then
    rm -rf "$tools/venv" "$tools/node_modules" "$tools/stamp"
    python3 -m venv "$tools/venv" >&2
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2
    cp "$here/package.json" "$here/package-lock.json" "$tools/"
    (cd "$tools" && npm ci --no-audit --no-fund --silent >&2)
    printf '%s\n' "$stamp" >"$tools/stamp"
fi
printf '%s\n' "$tools"
