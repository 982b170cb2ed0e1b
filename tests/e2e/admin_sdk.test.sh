#!/bin/bash
# The stock Python and JavaScript SDKs against sluice-control: every admin method that they have. $1: build folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools=$("$here/setup.sh" "$1")
folder=$(mktemp -d "$tools/suite.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cp "$here/admin_sdk.mjs" "$folder/"
PYTHONDONTWRITEBYTECODE=1 exec "$tools/venv/bin/python" "$here/admin_sdk.py" "$1" "$folder/admin_sdk.mjs"
