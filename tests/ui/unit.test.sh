#!/bin/bash
# The console's own checks: types, lint, format, unit tests (npm run check).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/admin-ui/build.sh" >/dev/null
cd "$root/admin-ui"
exec npm run --silent check
