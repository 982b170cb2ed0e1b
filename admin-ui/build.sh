#!/bin/bash
# Builds the console into admin-ui/dist: npm packages when the lock file changed, the pages when a source changed, else nothing.
# Safe to call from several places at once (quickstart, CMake's target `console`, tests). Needs node and npm (PACKAGES_CONSOLE); with
# the lock file's packages in npm's cache it needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p node_modules
exec 9>node_modules/.sluice-lock
flock 9

stamp() { # of the files below the arguments: names and contents
    find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

packages=$(stamp package.json package-lock.json)
if [[ $(cat node_modules/.sluice-packages 2>/dev/null) != "$packages" ]]; then
    find node_modules -mindepth 1 -maxdepth 1 ! -name .sluice-lock -exec rm -rf {} +
    npm ci --prefer-offline --no-audit --no-fund
    printf '%s\n' "$packages" >node_modules/.sluice-packages
fi

sources=$(stamp package.json package-lock.json index.html tsconfig.json vite.config.ts tools public src docs ../control-plane/auth/scopes.def ../common/status.def)
if [[ ! -f dist/index.html || $(cat node_modules/.sluice-sources 2>/dev/null) != "$sources" ]]; then
    npm run build
    printf '%s\n' "$sources" >node_modules/.sluice-sources
fi
