#!/bin/bash
# Installs what the suites need from PyPI and npm, once per content of the pinned lists, and prints the folder that holds venv/ and
# node_modules/. Usage: tools=$(tests/e2e/setup.sh BUILD [SET]). SET "clients": the large ones that only clients_* need (clients/), in
# BUILD/e2e-clients; none: BUILD/e2e. Safe to call from several tests at once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
from=$here/${2:-}
mkdir -p "$1/e2e${2:+-$2}"
tools=$(cd "$1/e2e${2:+-$2}" && pwd)
exec 9>"$tools/lock"
flock 9
stamp=$(cat "$from/requirements.txt" "$from/package.json" "$from/package-lock.json" | sha256sum)
if [[ $(cat "$tools/stamp" 2>/dev/null) != "$stamp" ]]; then
    rm -rf "$tools/venv" "$tools/node_modules" "$tools/stamp"
    python3 -m venv "$tools/venv" >&2
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$from/requirements.txt" >&2
    cp "$from/package.json" "$from/package-lock.json" "$tools/"
    (cd "$tools" && npm ci --no-audit --no-fund --silent >&2)
    printf '%s\n' "$stamp" >"$tools/stamp"
fi
printf '%s\n' "$tools"
