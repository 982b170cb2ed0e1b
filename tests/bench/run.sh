#!/bin/bash
# Measures Sluice beside nginx; prints one JSON object per measurement. See tests/bench/README.md.
#   tests/bench/run.sh [--quick] [--no-build] [--build-dir DIR] [--only NAME,...] [--out FILE]
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/packages.sh
packages_install nginx-light python3 util-linux
build=build/release
make=1
previous=
for argument in "$@"; do
    [ "$argument" = --no-build ] && make=0
    [ "$previous" = --build-dir ] && build=$argument && make=0
    previous=$argument
done
if [ "$make" = 1 ]; then
    packages_install "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}" 1>&2
    { cmake --preset release && cmake --build --preset release --target sluice-control sluice-gateway sluicectl \
        sluice-sim sluice-load; } 1>&2
fi
exec python3 tests/bench/bench.py --build "$build" "$@"
